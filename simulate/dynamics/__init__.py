"""What is integrated: losses, the gradient flow of a batch of networks, and the flow of a frozen kernel."""
