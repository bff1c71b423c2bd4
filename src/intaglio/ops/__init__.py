# SPDX-License-Identifier: Apache-2.0
"""The operators, one to a file. To add one: its file, its test, one import and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points

from intaglio.errors import ModelError
from intaglio.ir.operator import Operator
from intaglio.ops.add import Add
from intaglio.ops.argmax import Argmax
from intaglio.ops.average_pool import AveragePool
from intaglio.ops.batch_matmul import BatchMatmul
from intaglio.ops.batch_norm import BatchNorm
from intaglio.ops.clip import Clip
from intaglio.ops.concat import Concat
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.conv_transpose2d import ConvTranspose2d
from intaglio.ops.depth_to_space import DepthToSpace
from intaglio.ops.fake_quantize import FakeQuantize
from intaglio.ops.flatten import Flatten
from intaglio.ops.function import Function
from intaglio.ops.lookup import Lookup
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.mul import Mul
from intaglio.ops.multi_threshold import MultiThreshold
from intaglio.ops.pad import Pad
from intaglio.ops.relu import Relu
from intaglio.ops.requantize import Requantize
from intaglio.ops.requantize_affine import RequantizeAffine
from intaglio.ops.reshape import Reshape
from intaglio.ops.slice import Slice
from intaglio.ops.softmax import Softmax
from intaglio.ops.sum_pool import SumPool
from intaglio.ops.transpose import Transpose
from intaglio.ops.upsample import Upsample
from intaglio.ops.upsample_bilinear import UpsampleBilinear
from intaglio.ops.upsample_linear import UpsampleLinear

BUILT_IN: tuple[type[Operator], ...] = (
    Add,
    Argmax,
    AveragePool,
    BatchMatmul,
    BatchNorm,
    Clip,
    Concat,
    Conv2d,
    ConvTranspose2d,
    DepthToSpace,
    FakeQuantize,
    Flatten,
    Function,
    Lookup,
    Matmul,
    MaxPool,
    Mul,
    MultiThreshold,
    Pad,
    Relu,
    Requantize,
    RequantizeAffine,
    Reshape,
    Slice,
    Softmax,
    SumPool,
    Transpose,
    Upsample,
    UpsampleBilinear,
    UpsampleLinear,
)


def operators() -> Mapping[str, type[Operator]]:
    """Return every operator by name: ours, then those of entry points `intaglio.operators`.

    Raises:
        ModelError: an outside package takes a name that is in use.
    """
    found = {op.name: op for op in BUILT_IN}
    for entry in entry_points(group="intaglio.operators"):
        op = entry.load()
        if op.name in found:
            raise ModelError(f"operator {op.name!r} must be registered once, not also by {entry}")
        found[op.name] = op
    return found
