"""What a campaign takes, from its description alone: tasks, operations, memory, and the integrator that follows."""
