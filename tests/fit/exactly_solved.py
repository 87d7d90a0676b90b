"""Finite-size data of exactly solved models: the Ising model on strips (Onsager, Kaufman) and of Curie and Weiss."""

import numpy as np
from scipy.special import gammaln

ISING_TC = 2 / np.log(1 + np.sqrt(2))


def strip_correlation_length(width, temperature):
    """Correlation length of the square-lattice Ising model on an infinite strip, periodic across ``width`` sites.

    Onsager (1944), Kaufman (1949): 1/xi = (1/2) sum_r (gamma_{2r+1} - gamma_{2r}), cosh gamma_k = cosh 2K coth 2K -
    cos(pi k/width), gamma_0 = 2K + ln tanh K, negative above T_c.
    """
    k = 1 / np.asarray(temperature, dtype=float)[..., None]
    modes = np.arccosh(np.cosh(2 * k) / np.tanh(2 * k) - np.cos(np.pi * np.arange(2 * width) / width))
    modes[..., 0] = 2 * k[..., 0] + np.log(np.tanh(k[..., 0]))
    return 2 / (modes[..., 1::2].sum(-1) - modes[..., 0::2].sum(-1))


def strip_transfer_matrix(width, temperature):
    """The same from the two largest eigenvalues of the transfer matrix of a narrow strip."""
    k = 1 / temperature
    spins = 1 - 2 * ((np.arange(2**width)[:, None] >> np.arange(width)) & 1)
    across = k * np.sum(spins * np.roll(spins, 1, axis=1), axis=1)
    matrix = np.exp(k * spins @ spins.T + 0.5 * (across[:, None] + across[None, :]))
    largest = np.sort(np.linalg.eigvalsh(matrix))[-2:]
    return 1 / np.log(largest[1] / largest[0])


def curie_weiss(spins, temperature):
    """Probabilities of the magnetisation of ``spins`` spins that all interact, by enumeration, and its values."""
    up = np.arange(spins + 1)
    m = 2 * up / spins - 1
    log_p = gammaln(spins + 1) - gammaln(up + 1) - gammaln(spins - up + 1) + 0.5 * spins * m**2 / temperature
    p = np.exp(log_p - log_p.max())
    return m, p / p.sum()
