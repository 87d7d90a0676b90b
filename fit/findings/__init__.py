"""What measurements say about a prediction: windows, powers, logarithms, collapses, and the finding they end in."""
