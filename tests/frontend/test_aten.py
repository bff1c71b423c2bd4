# SPDX-License-Identifier: Apache-2.0
"""Operators of torch, one by one: every import compares them with torch on random input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from intaglio.errors import ModelError
from intaglio.frontend.torch_export import load_torch

IMAGE = (2, 4, 6, 8)

Tensor = torch.Tensor


class Function(nn.Module):
    """A module that applies a function."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        """Apply it."""
        result: Tensor = self.function(x)
        return result


def _names(module: nn.Module, shape: tuple[int, ...] = IMAGE) -> list[str]:
    torch.manual_seed(0)
    return [node.op.name for node in load_torch(module, torch.zeros(shape)).nodes]


FUNCTIONS = [
    nn.ELU(0.5), nn.GELU(), nn.GELU("tanh"), nn.Hardsigmoid(), nn.Hardswish(), nn.LeakyReLU(0.2),
    nn.Mish(), nn.SELU(), nn.Sigmoid(), nn.SiLU(), nn.Softplus(), nn.Tanh(), nn.PReLU(),
    Function(torch.abs), Function(torch.ceil), Function(torch.cos), Function(torch.erf),
    Function(torch.exp), Function(torch.floor), Function(torch.reciprocal), Function(torch.round),
    Function(torch.sign), Function(torch.sin), Function(lambda x: x**2), Function(lambda x: x**3),
]  # fmt: skip


@pytest.mark.parametrize("module", FUNCTIONS, ids=str)
def test_functions(module: nn.Module) -> None:
    assert _names(module) == ["function"]


@pytest.mark.parametrize(
    "function", [torch.log, torch.sqrt, torch.rsqrt, lambda x: x**0.5, lambda x: 2 / x]
)
def test_functions_of_what_is_positive(function: Callable[[Tensor], Tensor]) -> None:
    assert "function" in _names(Function(lambda x: function(torch.abs(x) + 0.5)))


LAYERS: list[tuple[nn.Module, list[str] | None]] = [
    (nn.Conv2d(4, 6, 3, groups=2, dilation=(1, 2), padding=1), ["conv2d"]),
    (nn.Conv2d(4, 4, 3, groups=4, padding="same", dilation=2), ["conv2d"]),
    (nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1), ["conv_transpose2d"]),
    (nn.ConvTranspose2d(4, 4, 2, stride=2, groups=2), ["conv_transpose2d"]),
    (nn.PReLU(4), ["relu", "batch_norm", "batch_norm", "add"]),
    (nn.AdaptiveMaxPool2d(1), ["max_pool"]),
    (nn.PixelShuffle(2), ["depth_to_space"]),
    (nn.Upsample(scale_factor=2), ["upsample"]),
    (nn.Upsample(size=(18, 16)), ["upsample"]),
    (Function(lambda x: F.interpolate(x, scale_factor=(0.4, 1))), ["slice"]),
    (nn.Upsample(scale_factor=2, mode="bilinear"), ["upsample_bilinear"]),
    (nn.Softmax(1), ["softmax"]),
    (nn.LogSoftmax(1), ["softmax"]),
    (nn.ZeroPad2d((1, 0, 2, -1)), ["slice", "pad"]),
    (nn.ReflectionPad2d((1, 0, 0, 1)), ["slice", "concat"] * 2),
    (Function(lambda x: F.pad(x, (1, 0, 0, 0), mode="replicate")), ["slice", "concat"]),
    (Function(lambda x: torch.cat([x, x.relu(), -x], 1)), None),
    (Function(lambda x: torch.cat([x, x.relu()], 3)), ["relu", "concat"]),
    (Function(lambda x: x[:, 1:3, ::2]), ["slice", "slice"]),
    (Function(lambda x: x[:, :, 2]), None),
    (Function(lambda x: F.glu(x, 1)), None),
    (Function(F.glu), ["slice", "slice", "function", "mul"]),
    (nn.GLU(), ["slice", "slice", "function", "mul"]),
    (Function(lambda x: torch.mul(*x.chunk(2, 1))), ["slice", "slice", "mul"]),
    (Function(lambda x: torch.add(*x.split([2, 2], 1))), ["slice", "slice", "add"]),
    (Function(lambda x: x.transpose(2, 3) @ x), None),
    (Function(lambda x: x.amax((2, 3))), ["max_pool", "flatten"]),
    (Function(lambda x: x.sum((2, 3), keepdim=True)), ["average_pool", "batch_norm"]),
    (Function(lambda x: x * x.mean((2, 3), keepdim=True).sigmoid()), None),
    (Function(lambda x: x - x.relu()), ["relu", "batch_norm", "add"]),
    (Function(lambda x: x / (x.abs() + 1)), None),
    (Function(lambda x: -x), ["batch_norm"]),
    (Function(lambda x: x.flatten(1)), ["transpose", "flatten"]),
    (Function(lambda x: x.view(-1, 2, 2, 6, 8).transpose(1, 2).reshape(-1, 4, 6, 8)), None),
]  # fmt: skip


@pytest.mark.parametrize(("module", "names"), LAYERS)
def test_layers(module: nn.Module, names: list[str] | None) -> None:
    found = _names(module)
    assert names is None or found == names


class Attention(nn.Module):
    """Two heads over the rows of a matrix."""

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(6, 18)
        self.end = nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        """Attend."""
        parts = self.project(x).reshape(-1, 5, 3, 2, 3).permute(0, 2, 3, 1, 4)
        q, k, v = parts[:, 0], parts[:, 1], parts[:, 2]
        shares = torch.softmax(q @ k.transpose(2, 3) / 3**0.5, -1)
        result: Tensor = self.end((shares @ v).transpose(1, 2).reshape(-1, 5, 6)) + x
        return result


def test_attention() -> None:
    names = _names(Attention(), (2, 5, 6))
    assert (names.count("batch_matmul"), names.count("softmax")) == (2, 1)


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (nn.Softplus(beta=2.0), "aten.softplus 'softplus': beta must be 1"),
        (
            nn.AdaptiveMaxPool2d(2),
            "aten.adaptive_max_pool2d 'adaptive_max_pool2d': its output size must be 1 "
            "(nearest: MaxPool2d)",
        ),
        (
            Function(lambda x: torch.cat([x, torch.zeros(2, 1, 6, 8)], 1)),
            "aten.cat 'cat': its operands must come from the network's input",
        ),
        (
            Function(
                lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
            ),
            "aten.upsample_bilinear2d 'upsample_bilinear2d': align_corners must be off",
        ),
        (
            Function(lambda x: torch.round(x, decimals=1)),
            "aten.round 'round_1': decimals must be 0, not 1 (nearest: scaling before and after)",
        ),
        (
            Function(lambda x: (x + torch.ones(1, 1, 1, 1, 8)).softmax(1)),
            "aten.add 'add': a constant operand must have at most the 4 axes of the other, "
            "not be [1, 1, 1, 1, 8]",
        ),
        (
            Function(lambda x: torch.addmm(torch.ones(2, 1), x.mean((2, 3)), torch.ones(4, 2))),
            "aten.addmm 'addmm': its bias must be one number a channel, not [2, 1]",
        ),
        (
            Function(lambda x: F.interpolate(x, scale_factor=(2, 2.125), mode="bilinear")),
            "aten.upsample_bilinear2d 'upsample_bilinear2d': bilinear interpolation must be to "
            "twice the size, not 6x8 to 12x17 by 2 and 2.125 "
            "(nearest: Resize by 2, one after another)",
        ),
        (
            Function(lambda x: torch.div(x, 2, rounding_mode="floor")),
            "aten.div 'div': the quotient must not be rounded",
        ),
    ],
)
def test_what_is_refused(module: nn.Module, text: str) -> None:
    with pytest.raises(ModelError) as caught:
        load_torch(module, torch.zeros(IMAGE))
    assert str(caught.value) == f"{type(module).__name__}: {text}"


#: Wholes, parts, and what gives a whole size but is none.
FACTORS = st.sampled_from([0.3, 1 / 3, 0.4, 0.5, 0.75, 1.1, 2, 2.1, 2.3, 3])
SIZES = st.tuples(st.integers(1, 9), st.integers(1, 9))


@settings(max_examples=settings().max_examples // 10)  # an export takes its time
@given(
    SIZES,
    st.one_of(
        st.builds(lambda *f: {"scale_factor": f}, FACTORS, FACTORS),
        st.builds(lambda f: {"scale_factor": f, "recompute_scale_factor": True}, FACTORS),
        st.builds(lambda size: {"size": size}, SIZES),
    ),
    st.sampled_from(["nearest", "bilinear"]),
)
def test_any_other_size_is_refused_or_means_what_torch_says(
    size: tuple[int, int], wanted: dict[str, Any], mode: str
) -> None:
    image = torch.zeros(1, 2, *size)
    module = Function(lambda x: F.interpolate(x, **wanted, mode=mode))
    given = wanted.get("scale_factor", 0.5)
    factors = given if isinstance(given, tuple) else (given, given)
    try:
        graph = load_torch(module, image)  # compares every value
    except ModelError:
        assert not (mode == "nearest" and all(factor in (2, 3) for factor in factors))
    else:
        assert graph.types[graph.outputs[0]].shape[:2] == tuple(module(image).shape[2:])
