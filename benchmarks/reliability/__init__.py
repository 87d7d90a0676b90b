"""What is lost when things go wrong: kills, damage, nonsense as input. Each module is a command and writes JSON."""
