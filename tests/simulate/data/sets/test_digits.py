"""scikit-learn's digits, against that package's own table."""

import numpy as np
from sklearn.datasets import load_digits

from simulate.data.sets.digits import read_digits


def test_images_are_unscaled_pixels_with_the_digit_as_class():
    pool, digits = read_digits(None, False), load_digits()
    np.testing.assert_array_equal(pool.x.reshape(1797, 64), digits.data)
    np.testing.assert_array_equal(pool.classes, digits.target)
    assert pool.description == "1797 digits of 8x8 pixels (scikit-learn)"
