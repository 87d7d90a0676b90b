"""Tangent kernels in tiles are those of explicit Jacobians, whatever the model and the memory."""

import audited_models
import numpy as np
import pytest
import torch

from simulate.audit.model_function import ModelFunction
from simulate.audit.tangent_kernel import (
    MOST_OUTPUTS,
    can_be_mapped,
    estimated_seconds,
    gradient_rows,
    output_directions,
    plan,
    tangent_kernels,
)

KINDS = ("mlp", "cnn", "residual", "gpt")


@pytest.mark.parametrize("memory", [2**30, 25_000])
@pytest.mark.parametrize("name", KINDS)
def test_kernels_are_those_of_explicit_jacobians(name, memory):
    """To 1e-10: sums of hundreds of products in another order; 25,000 bytes hold fewer rows than there are points."""
    model, x = audited_models.subject(name)
    directions = output_directions(model({}, x).shape[1], model.dtype)
    kernels = tangent_kernels(model, x, directions, memory=memory)
    jacobians, groups = audited_models.explicit_jacobians(model, x), model.groups()
    scale = np.abs(kernels.total).max()
    assert kernels.full is not None
    flat = [j.flatten(0, 1) for j in jacobians.values()]
    np.testing.assert_allclose(kernels.full, sum(j @ j.T for j in flat).numpy(), atol=1e-10 * scale)
    for group, part in kernels.parts.items():
        own = [j for parameter, j in jacobians.items() if groups[parameter] == group]
        trace = sum(torch.einsum("icp,jcp->ij", j, j) for j in own)
        np.testing.assert_allclose(part, trace.numpy(), atol=1e-10 * scale)


def test_a_kernel_too_large_to_be_whole_is_traced_output_by_output():
    torch.manual_seed(0)
    model, x = ModelFunction.from_module(audited_models.mlp()), audited_models.points("mlp", 100)
    directions = output_directions(3, model.dtype)
    kernels = tangent_kernels(model, x, directions)
    assert kernels.full is None
    jacobian = torch.cat(list(audited_models.explicit_jacobians(model, x).values()), -1)
    np.testing.assert_allclose(kernels.total, torch.einsum("icp,jcp->ij", jacobian, jacobian).numpy(), rtol=1e-10)


@pytest.mark.parametrize("name", KINDS)
def test_gradients_one_by_one_are_those_of_vmap(name):
    model, x = audited_models.subject(name)
    directions = output_directions(model({}, x).shape[1], model.dtype)
    assert can_be_mapped(model, x, directions)
    together = tangent_kernels(model, x, directions)
    alone = tangent_kernels(model, x, directions, mapped=False)
    np.testing.assert_allclose(alone.total, together.total, rtol=1e-12)


def test_a_forward_that_looks_at_numbers_is_differentiated_point_by_point():
    class Looking(torch.nn.Linear):
        def forward(self, x):
            return super().forward(x) * (2.0 if float(x.sum()) > -1e9 else 1.0)

    model, x = ModelFunction.from_module(Looking(5, 2).double()), audited_models.points("mlp")
    directions = output_directions(2, model.dtype)
    assert not can_be_mapped(model, x, directions)
    assert tangent_kernels(model, x, directions, mapped=False).total.shape == (6, 6)


def test_many_outputs_are_traced_over_random_combinations_whose_mean_is_the_trace():
    """Over 20 draws the mean of 16 sign combinations is off by sqrt(2/(16·20)) = 0.08; four times that."""
    torch.manual_seed(0)
    model = ModelFunction.from_module(torch.nn.Linear(5, 40).double())
    x = audited_models.points("mlp")
    exact = tangent_kernels(model, x, torch.eye(40, dtype=torch.float64)).total
    assert output_directions(40, torch.float64).shape == (MOST_OUTPUTS, 40)
    draws = [tangent_kernels(model, x, output_directions(40, torch.float64, seed)).total for seed in range(20)]
    np.testing.assert_allclose(np.mean(draws, axis=0), exact, atol=0.32 * np.abs(exact).max())


def test_rows_in_memory_are_as_few_as_told():
    """Two tiles, and one being computed, of any set of parameters stay below the limit, activations aside."""
    model, x = audited_models.subject("cnn")
    directions = output_directions(2, model.dtype)
    for memory in (4000, 8000, 40_000, 2**30):
        how = plan(model, x, directions, memory)
        assert sorted([*how.factored, *(name for chunk in how.chunks for name in chunk)]) == sorted(model.parameters)
        for chunk, tile in zip(how.chunks, how.tiles, strict=True):
            width = sum(model.parameters[name].numel() for name in chunk)
            copies = 3 if tile < how.rows else 1 if how.batch == how.rows else 2
            assert 8 * width * tile * copies <= memory or tile == 1
    assert len(plan(model, x, directions, 8000).chunks) > 1


def test_rows_that_are_counted_are_those_that_are_computed():
    model, x = audited_models.subject("mlp")
    directions = output_directions(3, model.dtype)
    told = []
    tangent_kernels(model, x, directions, memory=6000, report=lambda done, rows: told.append((done, rows)))
    assert told[-1][0] == told[-1][1] == plan(model, x, directions, 6000).gradient_rows
    assert estimated_seconds(model, x, directions, memory=6000) > 0


def test_a_row_is_the_gradient_of_a_combination_of_outputs():
    model, x = audited_models.subject("residual")
    combinations = torch.tensor([[1.0, -2.0]] * len(x), dtype=torch.float64)
    rows = gradient_rows(model, ["last.bias"], x, combinations)
    torch.testing.assert_close(rows["last.bias"], combinations)
