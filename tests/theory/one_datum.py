"""A numerical solution of `theory.model.Model` that shares nothing with the derivation: one datum, any exponents.

For a single datum every loss gives the same trajectory, dw/dT = grad f; what the amplitude decides is where it stops.
With f - f_0 itself as the independent variable, dw/df = grad f/|grad f|², finite-time blow-ups become smooth, and one
path serves all amplitudes.
"""

import numpy as np
from scipy.integrate import solve_ivp

#: Exactly homogeneous activations, so that small and large arguments scale alike; tanh for the bounded ones.
ACTIVATIONS = {
    0: (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    1: (lambda z: np.maximum(z, z / 2), lambda z: np.where(z > 0, 1.0, 0.5)),
    2: (lambda z: np.maximum(z, z / 2) ** 2, lambda z: 2 * np.maximum(z, z / 2) * np.where(z > 0, 1.0, 0.5)),
}


def at_stop(model, width, amplitudes, seed):
    """Kernel change, ||w - w_0|| and T = t/alpha at the stops of ascending amplitudes: an array (amplitudes, 3)."""
    output, hidden = width ** -float(model.output), width ** -float(model.hidden)
    activation, slope = ACTIVATIONS[int(model.degree)]
    shapes = [(width,), *[(width, width)] * (model.depth - 1), (width,)]
    cuts = np.cumsum([np.prod(s) for s in shapes])[:-1]

    def gradient(weights):
        first, *middle, last = (p.reshape(s) for p, s in zip(np.split(weights, cuts), shapes, strict=True))
        z, x = [first], [activation(first)]
        for matrix in middle:
            z.append(hidden * matrix @ x[-1])
            x.append(activation(z[-1]))
        parts = [output * x[-1]]
        delta = output * last * slope(z[-1])
        for layer in range(model.depth - 1, 0, -1):
            parts.append((hidden * np.outer(delta, x[layer - 1])).ravel())
            delta = hidden * (middle[layer - 1].T @ delta) * slope(z[layer - 1])
        return np.concatenate([delta, *parts[::-1]])

    def along(_, state):
        g = gradient(state[:-1])
        return np.append(g, 1.0) / (g @ g)

    start = np.random.default_rng([seed, width]).standard_normal(cuts[-1] + width)
    kernel = np.sum(gradient(start) ** 2)
    alphas = np.asarray(amplitudes) / np.sqrt(width)
    goals = np.asarray(amplitudes) ** float(model.target) / alphas
    state, at, found = np.append(start, 0.0), 0.0, np.empty((len(goals), 3))
    for index in np.argsort(goals):
        state = solve_ivp(along, (at, goals[index]), state, rtol=1e-4, atol=1e-6, t_eval=[goals[index]]).y[:, -1]
        at = goals[index]
        change = np.sum(gradient(state[:-1]) ** 2) / kernel - 1
        found[index] = abs(change), np.linalg.norm(state[:-1] - start), state[-1]
    return found
