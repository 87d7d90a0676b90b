"""How many networks are trained at once, from the campaign alone."""

from campaigns import experiment

from simulate.planning.memory import bytes_per_network, networks_at_once


def test_memory_grows_with_points_and_width():
    assert bytes_per_network(experiment(n_train=80), 32) > bytes_per_network(experiment(), 32)
    assert bytes_per_network(experiment(), 64) > bytes_per_network(experiment(), 32)


def test_single_precision_takes_half_of_the_memory_and_twice_the_networks():
    double, single = experiment(), experiment(dtype="float32")
    assert bytes_per_network(single, 32) == bytes_per_network(double, 32) / 2
    # a batch's size is a whole number
    assert abs(networks_at_once(single, 32) - 2 * networks_at_once(double, 32)) <= 1


def test_only_a_processors_cache_limits_a_batch_beforehand():
    assert networks_at_once(experiment(), 32, "cuda") is None
    assert networks_at_once(experiment(n_train=1_000), 4096) == 1
    assert networks_at_once(experiment(architecture="cnn"), 32) is None
