"""Points with a planted rule."""

import numpy as np
import pytest
from data_requests import check, experiment

from simulate import load_data
from simulate.data.synthetic import RULES, draw_points


@pytest.mark.parametrize("dataset", RULES)
@pytest.mark.parametrize("dimension", [3, 10])
def test_synthetic_labels_are_a_rule_of_the_first_directions(dataset, dimension):
    data = load_data(experiment(dataset=dataset, dimension=dimension, data_seed=3))
    check(data)
    assert data.x_train.shape[1] == dimension
    assert data.y_train.sum() == data.y_test.sum() == 0
    rule = RULES[dataset]
    np.testing.assert_array_equal(rule.positive(data.x_train[:, : rule.relevant]), data.y_train > 0)
    # the other directions carry nothing: labels are uncorrelated with them within 5 standard errors
    assert np.abs(data.y_test @ data.x_test[:, rule.relevant :] / np.sqrt(200)).max() < 5


def test_the_rules_cut_where_they_say():
    first = np.array([-2.4, -1.6, -1.4, -0.6, -0.31, -0.29, 0.4, 1.18, 1.19, 1.6])[:, None]
    assert RULES["sphere"].positive(first).tolist() == [False] * 6 + [True] * 4
    assert RULES["one_direction"].positive(first).tolist() == [False] * 5 + [True] * 3 + [False] * 2
    assert RULES["stripes"].positive(first).tolist() == [True] + [False] * 2 + [True] * 4 + [False] * 3
    plane = np.array([[0.0, 0.0], [1.2, 0.0], [0.0, -1.2], [0.9, 0.9], [1.3, 0.0]])
    assert RULES["cylinder"].positive(plane).tolist() == [True, True, True, False, False]


@pytest.mark.parametrize("dataset", RULES)
def test_more_test_points_leave_the_training_points_as_they_are(dataset):
    few, many = (load_data(experiment(dataset=dataset, n_test=n)) for n in (10, 300))
    np.testing.assert_array_equal(few.x_train, many.x_train)


@pytest.mark.parametrize("dataset", RULES)
@pytest.mark.parametrize("count", [1, 2, 7, 500])
def test_labels_take_turns_and_follow_the_rule(dataset, count):
    x, y = draw_points(dataset, count, 10, seed=4)
    assert y.tolist() == [1.0, -1.0] * (count // 2) + [1.0] * (count % 2)
    np.testing.assert_array_equal(RULES[dataset].positive(x), y > 0)
    np.testing.assert_allclose((x**2).sum(axis=1), 10)
