"""Small models of the kinds that are audited; made for tests, in double precision."""

import torch
from torch import nn

from simulate.audit.model_function import ModelFunction


def mlp():
    return nn.Sequential(nn.Linear(5, 12), nn.Tanh(), nn.Linear(12, 9), nn.GELU(), nn.Linear(9, 3)).double()


def cnn():
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.SiLU(), nn.Conv2d(4, 5, 3, stride=2), nn.Tanh(),
        nn.Flatten(), nn.Linear(20, 2),
    ).double()  # fmt: skip


class Residual(nn.Module):
    def __init__(self, width=10, blocks=2):
        super().__init__()
        self.first = nn.Linear(5, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU()) for _ in range(blocks)
        )
        self.last = nn.Linear(width, 2)

    def forward(self, x):
        x = self.first(x)
        for block in self.blocks:
            x = x + block(x)
        return self.last(x)


class SmallGPT(nn.Module):
    """One block, and the embedding tied to the readout: 3 tokens of 4, 12 outputs."""

    def __init__(self, vocabulary=4, width=8, heads=2, length=3):
        super().__init__()
        self.heads = heads
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(0.3 * torch.randn(length, width))
        self.norm = nn.LayerNorm(width)
        self.attention = nn.Linear(width, 3 * width)
        self.mix = nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.readout = nn.Linear(width, vocabulary, bias=False)
        self.readout.weight = self.tokens.weight

    def forward(self, x):
        n, length = x.shape
        h = self.tokens(x) + self.positions
        q, k, v = (
            t.reshape(n, length, self.heads, -1).transpose(1, 2) for t in self.attention(self.norm(h)).chunk(3, -1)
        )
        mixed = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        h = h + self.mix(mixed.transpose(1, 2).reshape(n, length, -1))
        return self.readout(h + self.narrow(nn.functional.gelu(self.wide(h))))


def gpt():
    return SmallGPT().double()


def residual():
    return Residual().double()


def linear():
    return nn.Linear(5, 2).double()


def points(name, n=6, seed=1):
    generator = torch.Generator().manual_seed(seed)
    if name == "gpt":
        return torch.randint(0, 4, (n, 3), generator=generator)
    shape = (n, 2, 5, 5) if name == "cnn" else (n, 5)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def moved(module, size=0.1, seed=3):
    """The same module with other weights."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in module.parameters():
            p += size * torch.randn(p.shape, generator=generator, dtype=p.dtype)
    return module


def subject(name):
    """A model of a kind as a function of its parameters, and points for it."""
    torch.manual_seed(0)
    return ModelFunction.from_module(globals()[name]()), points(name)


def explicit_jacobians(model, x):
    """J (n, outputs, numbers) of each parameter, by reverse mode, output by output, through the module itself."""
    parameters = {name: p for name, p in model.module.named_parameters() if name in model.parameters}
    result = {name: [] for name in parameters}
    for point in x:
        for output in model.module(point.unsqueeze(0)).reshape(-1):
            gradients = torch.autograd.grad(output, list(parameters.values()), retain_graph=True)
            for name, gradient in zip(parameters, gradients, strict=True):
                result[name].append(gradient.reshape(-1))
    return {name: torch.stack(rows).reshape(len(x), -1, rows[0].numel()) for name, rows in result.items()}
