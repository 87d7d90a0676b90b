"""Stacked networks, and the products with their Jacobian that the flow asks for: one architecture a file."""
