"""Where the kernel change passes a level: the amplitude A* that separates feature from lazy training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

#: A wider gap between two amplitudes is not interpolated: the curve bends there (a gap of five decades was seen to
#: shift the power of alpha* by 0.2).
WIDEST_GAP = 1.05 * np.log(10.0)


def log_crossing(log_amplitude: NDArray, log_value: NDArray, log_level: float = 0.0) -> NDArray:
    """Natural logarithm of the amplitude at which a falling curve passes a level, for many curves at once.

    Between the two amplitudes that bracket the level the curve is a monotone cubic (PCHIP) through these and one
    neighbour on each side: a straight line would be off by up to 4 % in A* on half-decades, and by a different
    amount for every position of A* within the grid, which would tilt alpha*(h).

    Parameters
    ----------
    log_amplitude : ndarray of shape (amplitude,)
        Increasing.
    log_value : ndarray of shape (amplitude, curve)
        NaN where a network is missing.
    log_level : float

    Returns
    -------
    ndarray of shape (curve,)
        NaN where the curve does not pass the level between two measured amplitudes at most a decade apart (a censored
        crossing).
    """
    if len(log_amplitude) < 2:
        return np.full(log_value.shape[1], np.nan)
    above = log_value >= log_level
    below = log_value < log_level  # False for NaN, as is `above`
    bracket = above[:-1] & below[1:] & (np.diff(log_amplitude) <= WIDEST_GAP)[:, None]
    # the last passage, where noise makes several
    position = len(log_amplitude) - 2 - np.argmax(bracket[::-1], axis=0)
    crossing = np.full(log_value.shape[1], np.nan)
    for low in np.unique(position[bracket.any(axis=0)]):
        curves = np.flatnonzero((position == low) & bracket.any(axis=0))
        stencil = slice(max(low - 1, 0), min(low + 3, len(log_amplitude)))
        x, y = log_amplitude[stencil], log_value[stencil][:, curves]
        # a missing neighbour is replaced by the chord's continuation: the interpolation is then linear on that side
        chord = (log_value[low + 1, curves] - log_value[low, curves]) / (log_amplitude[low + 1] - log_amplitude[low])
        y = np.where(np.isfinite(y), y, log_value[low, curves] + chord * (x[:, None] - log_amplitude[low]))
        crossing[curves] = _passage(
            PchipInterpolator(x, y, axis=0), log_amplitude[low], log_amplitude[low + 1], log_level
        )
    return crossing


def censoring(log_amplitude: NDArray, log_value: NDArray, log_level: float = 0.0) -> tuple[NDArray, NDArray]:
    """Return for each curve the logarithm of A*, or the bound that is known of it, and which of these it is.

    Parameters
    ----------
    log_amplitude, log_value, log_level
        As in `log_crossing`.

    Returns
    -------
    value : ndarray of shape (curve,)
        A*, or the end of the grid beyond which it lies; NaN where nothing is known (it passes the level in a gap).
    side : ndarray of shape (curve,)
        0 where A* was measured, 1 where it is larger than ``value``, -1 where smaller.
    """
    crossing = log_crossing(log_amplitude, log_value, log_level)
    measured = np.isfinite(log_value)
    lowest = np.argmax(measured, axis=0)
    highest = len(log_amplitude) - 1 - np.argmax(measured[::-1], axis=0)
    columns = np.arange(log_value.shape[1])
    censored = ~np.isfinite(crossing) & measured.any(axis=0)
    beyond = censored & (log_value[highest, columns] >= log_level)
    before = censored & (log_value[lowest, columns] < log_level)
    value = np.where(beyond, log_amplitude[highest], np.where(before, log_amplitude[lowest], crossing))
    return value, np.where(beyond, 1, np.where(before, -1, 0))


def _passage(curve: PchipInterpolator, low: float, high: float, level: float) -> NDArray:
    """Invert the monotone ``curve`` by tabulation: fine enough that linear interpolation is exact to 1e-6."""
    x = np.linspace(low, high, 257)
    y = curve(x)
    after = np.argmax(y < level, axis=0)
    columns = np.arange(y.shape[1])
    y0, y1 = y[after - 1, columns], y[after, columns]
    return x[after - 1] + (x[1] - x[0]) * (y0 - level) / (y0 - y1)
