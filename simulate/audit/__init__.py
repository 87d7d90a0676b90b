"""Measurements of any `torch.nn.Module`: tangent kernels, representations, weights, and their powers of the width."""
