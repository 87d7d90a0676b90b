"""Whole crossover curves, kernel_change(A), and fluctuations, without free parameters."""

from theory.curves.crossover_curve import CrossoverCurve
from theory.curves.deep_linear import deep_linear_curve
from theory.curves.error_against_width import LazyPrediction, lazy_prediction
from theory.curves.initial_fluctuations import ntk_variance
from theory.curves.lazy_fluctuations import lazy_output_variance
from theory.curves.lazy_network import first_order_kernel_change
from theory.curves.learning_curve import feature_exponent, lazy_exponent, learning_curve
from theory.curves.mean_field import mean_field_curve
from theory.curves.single_datum import single_datum_curve

__all__ = [
    "CrossoverCurve",
    "LazyPrediction",
    "deep_linear_curve",
    "feature_exponent",
    "first_order_kernel_change",
    "lazy_exponent",
    "lazy_output_variance",
    "lazy_prediction",
    "learning_curve",
    "mean_field_curve",
    "ntk_variance",
    "single_datum_curve",
]
