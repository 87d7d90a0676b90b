"""One result type for all theories that give the kernel change for every A = sqrt(h)·alpha."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lazyrich.errors import InputError


@dataclass(frozen=True)
class CrossoverCurve:
    """From lazy (A >> 1) to feature training (A << 1).

    Attributes
    ----------
    root_h_alpha : ndarray, float64, shape (m,)
        A = sqrt(h)·alpha, alpha in the article convention (arXiv:1906.08034).
    kernel_change : ndarray, float64, shape (m,)
        ||Theta_end - Theta_0||_F / ||Theta_0||_F on the evaluation points, at the stop.
    standard_error : ndarray, float64, shape (m,)
        Monte Carlo error of ``kernel_change``; zero where nothing was sampled.
    time_half, time_end : ndarray, float64, shape (m,)
        First time with mean l(F·y) < 1/2, and time of the stop, in gradient-flow time of the article.
    reference : str
        Where the equations are from.
    """

    root_h_alpha: np.ndarray
    kernel_change: np.ndarray
    standard_error: np.ndarray
    time_half: np.ndarray
    time_end: np.ndarray
    reference: str

    def local_slope(self) -> np.ndarray:
        """Return d log(kernel_change) / d log(A) between neighbouring values of A, shape (m - 1,).

        Raises
        ------
        InputError
            If there are fewer than two values of A, or they don't ascend.

        Examples
        --------
        >>> a = np.array([1.0, 10.0]); zero = np.zeros(2)
        >>> CrossoverCurve(a, 1 / a**2, zero, zero, zero, "").local_slope().round(12).tolist()
        [-2.0]
        """
        if len(self.root_h_alpha) < 2 or not np.all(np.diff(self.root_h_alpha) > 0):
            remedy = "Compute the curve on two or more ascending values"
            raise InputError("root_h_alpha", self.root_h_alpha.tolist(), "slopes need neighbours", remedy)
        return np.diff(np.log(self.kernel_change)) / np.diff(np.log(self.root_h_alpha))


def relative_change(end: np.ndarray, start: np.ndarray) -> float:
    """Return ||end - start||_F / ||start||_F.

    Examples
    --------
    >>> relative_change(np.array([[4.0]]), np.array([[2.0]]))
    1.0
    """
    return float(np.linalg.norm(end - start) / np.linalg.norm(start))
