"""Where memory runs out a batch is split, the split is recorded, and nobody else notices."""

import mmap
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from lazyrich.chunking import chunk_size
from simulate import Experiment, load_data, run_task
from simulate.measure.memory import PeakMemory, in_parts, is_out_of_memory
from simulate.measure.schema import NONDETERMINISTIC_VARIABLES
from simulate.networks.fully_connected import FullyConnected
from simulate.planning.memory import bytes_per_network, networks_at_once
from simulate.planning.tasks import Task
from simulate.training.status import Status
from theory import Activation

SPEC = Experiment(
    name="test", dataset="sphere", n_train=16, n_test=24, depth=1, activation="softplus", widths=(16,),
    root_h_alpha=(0.1, 1.0, 10.0), seeds=4,
)  # fmt: skip
TASK = Task("test", 0, 16, 0, 4)

GPU = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
CPU = RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory: you tried to ...")


@pytest.fixture
def limited(monkeypatch):
    """Let a forward pass fail that has more than a number of networks in it."""
    linearise = FullyConnected.linearise

    def limit(count, error):
        def checked(self, weights, inputs):
            if len(weights[0]) > count:
                raise error
            return linearise(self, weights, inputs)

        monkeypatch.setattr(FullyConnected, "linearise", checked)

    return limit


@pytest.mark.parametrize("error", [GPU, CPU, MemoryError()], ids=["gpu", "cpu", "python"])
def test_a_batch_that_does_not_fit_is_split_and_the_results_are_the_same(limited, error):
    whole = run_task(SPEC, TASK, load_data(SPEC))
    limited(5, error)
    split = run_task(SPEC, TASK, load_data(SPEC))
    assert whole.batch.values.max() == 0
    # twelve networks: not 12, not 6, but 3 at a time
    assert split.batch.values.ravel().tolist() == [i // 3 for i in range(12)]
    assert (split.status == Status.CONVERGED).all()
    for name in set(whole.data_vars) - set(NONDETERMINISTIC_VARIABLES):
        tight = whole[name].dtype == np.float64
        np.testing.assert_allclose(split[name], whole[name], rtol=1e-9 if tight else 1e-6, err_msg=name)


def test_networks_that_do_not_fit_alone_are_marked_and_the_others_are_not(limited, monkeypatch):
    whole = run_task(SPEC, TASK, load_data(SPEC))
    output = FullyConnected.output
    marked = FullyConnected(10, 16, 1, Activation("softplus")).initial_weights(0, [2])[-1]

    def needs_too_much(self, weights, inputs):
        if any(torch.equal(w, marked[0]) for w in weights[-1]):
            raise GPU
        return output(self, weights, inputs)

    monkeypatch.setattr(FullyConnected, "output", needs_too_much)
    found = run_task(SPEC, TASK, load_data(SPEC))
    lost = found.status == Status.OUT_OF_MEMORY
    assert lost.isel(seed=2).all()
    assert lost.sum() == 3
    for name in ("kernel_change", "time_end", "weight_change"):
        assert found[name].where(lost, drop=True).isnull().all()
        kept = [0, 1, 3]
        np.testing.assert_allclose(found[name].isel(seed=kept), whole[name].isel(seed=kept), rtol=1e-9)
    np.testing.assert_allclose(found.alpha, whole.alpha)  # what is known is kept


def test_only_a_lack_of_memory_splits_a_batch(limited):
    limited(5, RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes"):
        run_task(SPEC, TASK, load_data(SPEC))
    assert not is_out_of_memory(ValueError("out of memory"))


def test_parts_cover_everything_once_and_a_size_that_failed_is_not_tried_again():
    tried = []

    def work(part):
        tried.append(len(part))
        if len(part) > 3 or 4 in part:
            raise GPU
        return list(part)

    parts = list(in_parts(work, range(10)))
    assert [i for part, _ in parts for i in part] == list(range(10))
    assert [list(part) for part, found in parts if found is None] == [[4]]
    assert tried == sorted(tried, reverse=True)
    assert list(in_parts(work, range(0))) == []


def test_parts_are_even_and_no_larger_than_asked():
    assert [len(part) for part, _ in in_parts(len, range(10), 4)] == [4, 4, 2]
    assert [len(part) for part, _ in in_parts(len, range(104), 61)] == [52, 52]
    assert [len(part) for part, _ in in_parts(len, range(3), 61)] == [3]


@pytest.mark.parametrize(
    ("count", "most", "unit", "sizes"),
    [
        (12, 3, 4, [4, 4, 4]),  # three quarters of a unit: a whole one
        (12, 6, 4, [4, 4, 4]),
        (12, 9, 4, [8, 4]),
        (52, 48, 4, [28, 24]),
        (20, 4, 10, [4, 4, 2, 4, 4, 2]),  # no part is of two units
        (20, 5, 10, [10, 10]),
        (6, None, 4, [6]),
    ],
)
def test_parts_have_whole_units_where_these_are_small(count, most, unit, sizes):
    parts = list(in_parts(len, range(100, 100 + count), most, unit))
    assert [size for _, size in parts] == sizes
    assert [i for part, _ in parts for i in part] == list(range(100, 100 + count))


def test_peak_memory_sees_an_array_that_is_gone():
    peak = PeakMemory("cpu")
    before = peak.bytes()
    # 128 MiB of new pages, written to: an allocator might hand out memory that is resident already
    block = torch.frombuffer(mmap.mmap(-1, 2**27), dtype=torch.uint8).fill_(1)
    del block
    assert peak.bytes() - before > 100 * 2**20


def test_where_the_system_does_not_say_the_peak_is_zero_and_not_an_accident(monkeypatch):
    """Neither /proc (Linux) nor the module resource (Unix)."""
    monkeypatch.setattr(Path, "read_text", missing)
    monkeypatch.setitem(sys.modules, "resource", None)
    assert PeakMemory("cpu").bytes() == 0
    asked = "import sys; sys.modules['resource'] = None; import simulate.measure.engine"
    subprocess.run([sys.executable, "-c", asked], check=True)


def missing(*_):
    raise FileNotFoundError


def test_the_peak_of_a_task_is_recorded():
    recorded = run_task(SPEC, TASK, load_data(SPEC)).peak_memory.values
    assert (recorded == recorded.flat[0]).all()
    assert 2**25 < recorded.flat[0] < 2**36  # torch alone takes more than 32 MiB


class Held(TorchDispatchMode):
    """Counts the bytes of all tensors that are alive, made by any operation."""

    def __init__(self):
        super().__init__()
        self.now = self.most = 0
        self.known = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(out):
            if isinstance(tensor, torch.Tensor) and tensor.device.type == "cpu":
                storage = tensor.untyped_storage()
                if id(storage) not in self.known:
                    self.known.add(id(storage))
                    self.now += storage.nbytes()
                    self.most = max(self.most, self.now)
                    weakref.finalize(storage, self._gone, id(storage), storage.nbytes())
        return out

    def _gone(self, name, size):
        self.known.discard(name)
        self.now -= size


@pytest.mark.parametrize(
    "changes",
    [
        {"widths": (64,), "depth": 1, "n_train": 80, "n_test": 100},
        {"widths": (300,), "depth": 3, "n_train": 60, "n_test": 60},
        {"widths": (32,), "depth": 3, "n_train": 300, "n_test": 300},
        {"widths": (32,), "depth": 3, "n_train": 300, "n_test": 300, "integrator": "chebyshev"},
        {"widths": (300,), "depth": 1, "n_train": 60, "n_test": 600},
        {"widths": (32,), "depth": 2, "n_train": 60, "n_test": 60, "architecture": "cnn"},
        {"widths": (32,), "depth": 2, "n_train": 60, "n_test": 60, "dtype": "float32"},
        {"widths": (16,), "depth": 2, "n_train": 150, "n_test": 150, "arms": ("network", "initial_kernel")},
    ],
)
def test_the_estimate_of_memory_is_right_within_a_factor_of_two(changes):
    """Three steps of a loss that is stiff from the start: the largest arrays of a whole run are made in them."""
    integrator = changes.pop("integrator", "rosenbrock")
    spec = Experiment(
        **{"name": "test", "dataset": "digits", "activation": "softplus", "root_h_alpha": (0.1, 1.0, 10.0), "seeds": 4,
           "loss": "square", "max_steps": 3, "dynamics": {"integrator": integrator}, **changes}
    )  # fmt: skip
    data, width = load_data(spec), spec.widths[0]
    with Held() as held:
        run_task(spec, Task("test", 0, width, 0, 4), data)
    at_once = chunk_size(12, networks_at_once(spec, width), spec.seeds)
    assert 0.5 < at_once * bytes_per_network(spec, width) / held.most < 2.0
