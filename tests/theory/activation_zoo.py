"""Activations of every kind that is accepted: named ones, and formulas with kinks, oscillations, other degrees."""

from theory.expression import NAMED

ZOO = [
    *NAMED,
    "z*erf(z)",
    "z*sigmoid(1.702*z)",
    "z*tanh(log(1+exp(z)))",
    "sqrt(1+z**2)-1",
    "where(z>0, z, exp(z)-1)",
    "max(z, 0.1*z)",
    "min(max(z, 0), 6)",
    "abs(z)",
    "relu(z)**3",
    "exp(-z**2)",
    "sin(z)",
    "z + cos(z)",
    "z**3 - 3*z",
    "sign(z)*abs(z)**1.5",
    "z/(1+abs(z))",
]
