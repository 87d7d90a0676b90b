"""A model of another package, of eleven million parameters: torchvision's ResNet-18 on random images."""

import copy

import pytest
import torch

from fit.audit import audit
from simulate.data.torchvision_compat import torchvision_datasets


@pytest.mark.slow
def test_a_residual_network_of_torchvision():
    torchvision_datasets()  # where its binary part does not fit the torch that is installed
    from torchvision.models import resnet18

    torch.manual_seed(0)
    before = resnet18(num_classes=2).eval()
    after = copy.deepcopy(before)
    x, y = torch.randn(4, 3, 32, 32), torch.tensor([0, 1, 1, 0])
    optimizer = torch.optim.SGD(after.parameters(), lr=1e-5)
    loss = torch.nn.functional.cross_entropy(after(x), y)
    loss.backward()
    optimizer.step()
    result = audit(lambda: resnet18(num_classes=2), before, after, x, y)
    assert result.parameters == sum(p.numel() for p in before.parameters())
    assert len(result.modules) == 41  # 20 convolutions, 20 normalisations, and the readout
    assert result.total.unexplained.value < 0.1  # a step so small
