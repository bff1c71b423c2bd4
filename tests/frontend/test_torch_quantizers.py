# SPDX-License-Identifier: Apache-2.0
"""Torch modules with quantizers: trained in few bits by this package, or torch's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from intaglio.errors import ModelError
from intaglio.frontend import load
from intaglio.ir.execute import run_program
from intaglio.quantize.program import quantize
from intaglio.train.quantized import QatScheme, calibrate, frozen, prepare


def small() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(36, 5),
    )  # fmt: skip


SCHEMES = {
    "lsq": QatScheme(3, 3),
    "lsq+": QatScheme(4, 4, "lsq+"),
    "fixed": QatScheme(4, 4, "fixed"),
    "binary": QatScheme(1, 2, "binary", per_channel=True),
    "ternary": QatScheme(2, 2, "ternary"),
    "clipq": QatScheme(2, 4, "clipq"),
    "powers": QatScheme(4, 4, power_of_two=True),
}


@pytest.mark.parametrize("name", SCHEMES)
def test_a_network_trained_in_few_bits_keeps_its_integers(name: str) -> None:
    model = prepare(small(), SCHEMES[name])
    images = torch.rand(64, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    calibrate(model, images)
    model.train()
    model(images)  # statistics of the batch norm
    module = frozen(model)
    program = quantize(load(module, example=images[:2]))
    # Pixels are multiples of 1/255, as an image's are: others may lie between two codes.
    pixels = torch.round(images * 255) / 255
    with torch.no_grad():
        wanted = module(pixels).numpy()
    found = run_program(program, pixels.numpy())
    how = program.quantization[program.graph.outputs[0]]
    # Sums in float32 may put a number on the other side of a threshold; addends are rounded.
    assert np.mean(np.abs(found - wanted) > max(how.scale)) < 0.02
    assert np.mean(found.argmax(axis=1) == wanted.argmax(axis=1)) > 0.95


class TorchsOwn(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.fake_quantize_per_tensor_affine(x, 0.25, 3, 0, 15)


def test_torchs_own_quantizer_is_read() -> None:
    x = torch.linspace(-2, 5, 60).reshape(-1, 6)
    program = quantize(load(TorchsOwn(), example=x[:2]))
    assert np.array_equal(run_program(program, x.numpy()), TorchsOwn()(x).numpy())


class Uneven(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scale, zero = torch.ones(6), torch.arange(6.0)
        quantized: torch.Tensor = torch.ops.intaglio.fake_quantize(x, scale, zero, 0, 15, "half_up")
        return quantized


def test_a_zero_point_a_channel_is_refused() -> None:
    with pytest.raises(ModelError, match="its zero points must be one for all channels"):
        load(Uneven(), example=torch.rand(2, 6))
