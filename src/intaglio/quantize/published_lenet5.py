# SPDX-License-Identifier: Apache-2.0
"""LeNet-5 in the integers of two published projects, exactly, quirks included: profiles.

They document history; `quantize` is what one should use. A tensor of weights has one scale
s = (max - min) / 255 and a truncated zero point; s is used as M / 2^n, both small. A layer is

    y = ((sum of x * (q - z)) + b) * M >> n        b = round(gain * bias / (M / 2^n))

with the arithmetic shift, which rounds down. Activations stand for reals at a fixed gain of 255;
there is no scale and no zero point of a result. Means of 2 x 2 are rounded half to even.

`lenet5-published`: activations are not clamped, only C1 and C3 are rectified, and biases have gain
256, not 255. `fpgai`, its ancestor: C1, C3, C5 and F6 are clamped to 0..255, M has 8 bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from intaglio.errors import QuantizationError
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Program, Value
from intaglio.ir.operator import Operator
from intaglio.ir.types import Quantization, TensorType
from intaglio.numerics.rounding import Rounding
from intaglio.numerics.types import IntType
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.flatten import Flatten
from intaglio.ops.matmul import Matmul
from intaglio.ops.requantize import Requantize
from intaglio.ops.sum_pool import SumPool

#: What activations are multiplied by: a pixel of 1 is 255.
GAIN = 255
U8 = IntType(8, signed=False)
#: The network's layers by name, with the shapes of their weights.
SHAPES: Mapping[str, tuple[int, ...]] = {
    "C1": (6, 5, 5, 1),
    "C3": (16, 5, 5, 6),
    "C5": (120, 5, 5, 16),
    "F6": (84, 120),
    "OUTPUT": (10, 84),
}


@dataclass(frozen=True)
class Profile:
    """How a project computes: which results are rectified, whether clamped, limits of M and n."""

    name: str
    rectified: frozenset[str]
    clamped: bool
    bias_gain: int
    multiplier_bits: int
    largest_shift: int


LENET5_PUBLISHED = Profile("lenet5-published", frozenset({"C1", "C3"}), False, 256, 16, 15)
FPGAI = Profile("fpgai", frozenset({"C1", "C3", "C5", "F6"}), True, GAIN, 8, 31)
PROFILES: Mapping[str, Profile] = {p.name: p for p in (LENET5_PUBLISHED, FPGAI)}


@dataclass(frozen=True, eq=False)
class Tensor:
    """Weights as unsigned codes of 8 bits: real = scale * (code - zero)."""

    codes: np.ndarray
    scale: float
    zero: int


def tensor(weight: np.ndarray) -> Tensor:
    """Return the codes of weights: the zero point truncated, codes rounded half to even.

    Raises:
        QuantizationError: all weights are equal, so that they have no scale.
    """
    low, high = float(weight.min()), float(weight.max())
    if low == high:
        raise QuantizationError(f"weights must differ to have a published scale, not all be {low}")
    scale = (high - low) / 255
    zero = int(np.clip(-low / scale, 0, 255))
    codes = np.rint(np.clip(zero + weight.astype(np.float64) / scale, 0, 255)).astype(np.int64)
    return Tensor(codes, scale, zero)


def fraction(scale: float, profile: Profile = LENET5_PUBLISHED) -> tuple[int, int]:
    """Return the M and n of the M / 2^n that is nearest to a scale; of equals the smallest n."""
    tried = (
        (round(scale * 2**n), n)
        for n in range(profile.largest_shift + 1)
        if round(scale * 2**n) < 1 << profile.multiplier_bits
    )
    return min(tried, key=lambda pair: abs(scale - pair[0] / 2 ** pair[1]))


def pixels(images: np.ndarray) -> np.ndarray:
    """Return the integers that the network is given: 255 times a pixel of 0..1, truncated.

    Shapes: images [N, 28, 28] or [N, 1, 28, 28]; result [N, 28, 28, 1].
    """
    return np.trunc(GAIN * images.astype(np.float32)).astype(np.int64).reshape(-1, 28, 28, 1)


def published_lenet5(
    parameters: Mapping[str, tuple[np.ndarray, np.ndarray]], profile: Profile = LENET5_PUBLISHED
) -> Program:
    """Return LeNet-5 as a profile computes it.

    Args:
        parameters: weights and bias of each layer of `SHAPES`, channels last.
        profile: one of `PROFILES`.

    Exactness: bit for bit that of the profile; types are as wide as the weights make them need.

    Raises:
        QuantizationError: a layer is missing, of another shape, or constant.
    """
    made = _Network(profile)
    for name, shape in SHAPES.items():
        if name not in parameters or parameters[name][0].shape != shape:
            raise QuantizationError(f"layer {name} must have weights of shape {shape}")
        if name == "F6":
            made.put("flat", Flatten())
        made.layer(name, *parameters[name])
        if name in ("C1", "C3"):
            made.mean({"C1": "S2", "C3": "S4"}[name])
    value = Value("image", TensorType((28, 28, 1), U8))
    graph = Graph(
        profile.name, (value,), tuple(made.nodes), (made.tip,), made.constants, channels_first=True
    )
    meaning = Quantization((1 / GAIN,))
    return Program(graph, {"image": meaning, made.tip: meaning})


@dataclass
class _Network:
    """The program half made, and between what its last value lies."""

    profile: Profile
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, Constant] = field(default_factory=dict)
    tip: str = "image"
    low: int = 0
    high: int = GAIN

    def put(self, name: str, op: Operator, **constants: Constant) -> None:
        """Put a node behind the last."""
        named = {f"{name}.{key}": constant for key, constant in constants.items()}
        self.constants |= named
        self.nodes.append(Node(name, op, (self.tip, *named)))
        self.tip = name

    def layer(self, name: str, weight: np.ndarray, bias: np.ndarray) -> None:
        """Put a weighted sum and its scaling, rounded down."""
        found = tensor(weight)
        multiplier, shift = fraction(found.scale, self.profile)
        if multiplier == 0:
            raise QuantizationError(f"layer {name} must have weights that M / 2^n can scale")
        codes = found.codes - found.zero
        scaled = self.profile.bias_gain * bias.astype(np.float64) / (multiplier / 2**shift)
        bias = np.rint(scaled).astype(np.int64)
        op = (
            Matmul()
            if codes.ndim == 2
            else Conv2d(padding=(2, 2, 2, 2) if name == "C1" else (0,) * 4)
        )
        self.put(f"{name}.acc", op, weight=Constant.integers(codes), bias=Constant.integers(bias))
        low, high = self._reach(codes.reshape(len(bias), -1), bias)
        low, high = (bound * multiplier >> shift for bound in (low, high))
        if name in self.profile.rectified:
            low, high = 0, max(high, 0)
            if self.profile.clamped:
                high = U8.max
        element = IntType.holding(low, high)
        self.low, self.high = low, high
        one = Constant.integers(np.array([multiplier]))
        self.put(name, Requantize(shift, 0, element, Rounding.FLOOR), multiplier=one)

    def _reach(self, codes: np.ndarray, bias: np.ndarray) -> tuple[int, int]:
        """Return between what the sums lie; padding is zero, which the input's range has."""
        up, down = np.maximum(codes, 0).sum(axis=1), np.minimum(codes, 0).sum(axis=1)
        least, most = min(self.low, 0), max(self.high, 0)
        low = (up * least + down * most + bias).min()
        return int(low), int((up * most + down * least + bias).max())

    def mean(self, name: str) -> None:
        """Put a mean over 2 x 2, rounded half to even."""
        self.put(f"{name}.sum", SumPool((2, 2), (2, 2)))
        one, element = Constant.integers(np.ones(1, np.int64)), IntType.holding(self.low, self.high)
        self.put(name, Requantize(2, 0, element, Rounding.HALF_EVEN), multiplier=one)
