# SPDX-License-Identifier: Apache-2.0
"""Examples for every operator that comes with the package: ordinary ones and corners."""

from __future__ import annotations

import numpy as np

from intaglio.ir.constant import Constant
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.rounding import Rounding
from intaglio.numerics.types import IntType
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
from intaglio.ops.requantize_affine import RequantizeAffine, Ties
from intaglio.ops.reshape import Reshape
from intaglio.ops.slice import Slice
from intaglio.ops.softmax import Softmax
from intaglio.ops.sum_pool import SumPool
from intaglio.ops.transpose import Transpose
from intaglio.ops.upsample import Upsample
from intaglio.ops.upsample_bilinear import UpsampleBilinear
from intaglio.ops.upsample_linear import UpsampleLinear
from intaglio.testing import Example


def of(text: str, *shape: int) -> TensorType:
    return TensorType(shape, IntType.parse(text))


def constant(text: str, *shape: int) -> Constant:
    """Random codes of a type, its extremes among them."""
    element = IntType.parse(text)
    data = np.random.default_rng(len(shape)).integers(element.min, element.max + 1, shape)
    data.flat[0], data.flat[-1] = element.min, element.max
    return Constant(data, element)


FLOATS = TensorType((5, 5, 2), FLOAT32)
ONE = Constant(np.ones(1, dtype=np.int64), IntType.parse("u1"))

EXAMPLES = (
    Example(Add(), (of("u8", 3, 4, 6), of("u8", 3, 4, 6))),
    Example(Add(), (of("s5", 4, 2, 3), of("u7", 4, 2, 3))),
    Example(Argmax(), (of("s9n", 10),)),
    Example(Argmax(), (of("u1", 1),)),
    Example(AveragePool((2, 3), (1, 2), (1, 0, 1, 2)), (FLOATS,)),
    Example(AveragePool((2, 3), (1, 2), (1, 0, 1, 2), count_padding=False), (FLOATS,)),
    Example(BatchMatmul(), (of("u8", 6, 6), of("s7n", 6, 6))),
    Example(BatchMatmul(), (of("s5", 2, 3, 4, 4), of("s5", 2, 3, 4, 4))),
    Example(BatchMatmul(), (of("u3", 5, 1, 1), of("u17", 5, 1, 1))),
    Example(
        BatchNorm(),
        (FLOATS, *[Constant(np.array(pair, np.float32), FLOAT32) for pair in ((2, 3), (-1, 0.5))]),
    ),
    Example(Clip(-3, 90), (of("s8", 5, 5, 4),)),
    Example(Clip(300, 400), (of("u8", 3, 3, 2),)),
    Example(Clip(-(1 << 40), 1 << 35), (of("s40", 3, 2, 2),)),
    Example(Concat(2), (of("u8", 3, 4, 6), of("s5", 3, 4, 4))),
    Example(Concat(1), (of("s8n", 3, 4, 4), of("s8n", 3, 2, 4))),
    Example(Concat(0), (of("u7", 5, 4, 3), of("u7", 4, 4, 3))),
    Example(Concat(0), (of("u3", 12), of("u5", 8))),
    Example(Concat(2), (of("u2", 2, 2, 1), of("u2", 2, 2, 1))),
    Example(Conv2d(), (of("u8", 7, 6, 4), constant("s8n", 6, 3, 3, 4), constant("s17", 6))),
    Example(
        Conv2d((2, 3), (1, 2, 0, 1), -5),
        (of("s8", 6, 7, 2), constant("u4", 3, 4, 2, 2), constant("u9", 3)),
    ),
    Example(Conv2d((3, 2)), (of("u4", 8, 9, 3), constant("s2", 4, 2, 1, 3), constant("s3", 4))),
    Example(
        Conv2d((1, 2), (1, 0, 1, 2), 3, groups=2),
        (of("u5", 5, 6, 8), constant("s4", 6, 3, 2, 4), constant("s7", 6)),
    ),
    Example(
        Conv2d((1, 1), (1, 1, 1, 1), 7, groups=6),
        (of("u8", 5, 6, 6), constant("s8", 6, 3, 3, 1), constant("s16", 6)),
    ),
    Example(
        Conv2d((2, 1), dilation=(1, 2), groups=4),
        (of("s5", 6, 7, 4), constant("u4", 24, 2, 3, 1), constant("s6", 24)),
    ),
    Example(
        Conv2d((2, 1), (0, 2, 1, 1), -2, dilation=(2, 3)),
        (of("s6", 9, 8, 4), constant("s5", 4, 3, 2, 4), constant("s9", 4)),
    ),
    Example(
        Conv2d((1, 3), dilation=(3, 2), groups=2),
        (of("u3", 9, 9, 4), constant("u3", 4, 2, 3, 2), constant("s4", 4)),
    ),
    Example(
        ConvTranspose2d((2, 2), (1, 1, 1, 1), pad_value=9),
        (of("u5", 3, 4, 4), constant("s4", 2, 4, 4, 4), constant("s7", 2)),
    ),
    Example(
        ConvTranspose2d((2, 3), (0, 1, 1, 0), (1, 0), (1, 2), groups=2),
        (of("s6", 3, 3, 4), constant("s5", 4, 3, 2, 2), constant("s9", 4)),
    ),
    Example(
        ConvTranspose2d((2, 1), groups=3, pad_value=-3),
        (of("s4", 2, 4, 3), constant("u3", 3, 2, 2, 1), constant("s4", 3)),
    ),
    Example(DepthToSpace((2, 3)), (of("s5", 3, 4, 24),)),
    Example(DepthToSpace((3, 2), "crd"), (of("u7", 2, 5, 12),)),
    Example(DepthToSpace((1, 2)), (of("u7", 2, 5, 4),)),
    Example(DepthToSpace((2, 2)), (of("u1", 1, 1, 4),)),
    Example(FakeQuantize((0.25,), 3, 0, 15), (FLOATS,)),
    Example(FakeQuantize((0.25, 1.5), 0, -7, 7, Rounding.HALF_UP), (FLOATS,)),
    Example(Flatten(), (of("s6", 3, 4, 2),)),
    Example(Function("hard_sigmoid", (0.2, 0.5)), (FLOATS,)),
    Example(Lookup(), (of("u8", 3, 4, 6), constant("s9", 256))),
    Example(Lookup(-15), (of("s5n", 4, 2, 3), constant("u16", 31))),
    Example(Lookup(-2048), (of("s12", 5, 2, 4), constant("s8n", 4096))),
    Example(Matmul(), (of("u8", 24), constant("s8", 10, 24), constant("s20", 10))),
    Example(Matmul(), (of("s17", 6), constant("u17", 4, 6), constant("s1", 4))),
    Example(MaxPool((2, 2), (2, 2)), (of("u8", 6, 8, 4),)),
    Example(MaxPool((3, 2), (1, 3), (2, 1, 1, 0)), (of("s5n", 5, 6, 3),)),
    Example(MaxPool((3, 4), (1, 1)), (of("s6", 3, 4, 10),)),
    Example(MaxPool((1, 1), (1, 1)), (of("u5", 1, 1, 3),)),
    Example(Mul(), (of("u8", 3, 4, 6), of("s9n", 3, 4, 6))),
    Example(Mul(), (of("s18", 4, 2, 3), of("u1", 4, 2, 3))),
    Example(Mul(), (of("s7", 10), of("s7", 10))),
    Example(MultiThreshold(2.0, -1.0), (FLOATS, Constant(np.zeros((1, 1), np.float32), FLOAT32))),
    Example(Pad((1, 2, 0, 3), 7), (of("u4", 4, 3, 2),)),
    Example(Pad((0, 1, 2, 0), -9), (of("s4", 3, 3, 4),)),
    Example(Relu(), (of("s8", 4, 4, 6),)),
    Example(Relu(-50), (of("u3", 4),)),
    Example(Requantize(16, -3, IntType.parse("s8")), (of("s24", 3, 4, 6), constant("u16", 6))),
    Example(Requantize(5, 0, IntType.parse("u8")), (of("s14", 4, 3, 2), constant("u1", 1))),
    Example(Requantize(0, 9, IntType.parse("u48")), (of("u34", 6), constant("u11", 6))),
    Example(Requantize(20, 9, IntType.parse("u8")), (of("s17", 4, 6), constant("u30", 6))),
    Example(
        RequantizeAffine(13, -2, IntType.parse("s4")),
        (of("s20", 3, 4, 6), constant("u16", 6), constant("s30", 6)),
    ),
    Example(
        RequantizeAffine(33, -7, IntType.parse("s8")),
        (of("s25", 4, 6), constant("s29", 6), constant("s38", 6)),
    ),
    Example(
        RequantizeAffine(2, 1, IntType.parse("s6"), Ties.EVEN),
        (of("s9", 3, 4, 6), constant("u2", 6), constant("s5", 6)),
    ),
    Example(
        RequantizeAffine(0, 1, IntType.parse("s6"), Ties.ODD),
        (of("s7", 12), ONE, constant("s3", 12)),
    ),
    Example(
        RequantizeAffine(21, 0, IntType.parse("u8")),
        (of("u14", 5, 4), constant("s29", 4), constant("u40", 1)),
    ),
    Example(RequantizeAffine(0, 0, IntType.parse("u1")), (of("s9", 12), ONE, constant("s9", 12))),
    Example(Reshape((4, 2, 6)), (of("u5", 4, 3, 4),)),
    Example(Slice((1, 0, 4), (5, 7, 8), (2, 3, 1)), (of("s8", 6, 7, 12),)),
    Example(Slice((0, 2, 1), (1, 3, 7), (1, 1, 3)), (of("u3", 1, 4, 8),)),
    Example(Slice((3,), (9,), (1,)), (of("s11n", 12),)),
    Example(Slice((0, 0, 0), (2, 3, 2), (1, 1, 1)), (of("u4", 2, 3, 2),)),
    Example(Softmax(), (FLOATS,)),
    Example(Softmax(logarithm=True), (TensorType((7,), FLOAT32),)),
    Example(SumPool((2, 2), (2, 2)), (of("u8", 6, 6, 4),)),
    Example(SumPool((4, 3), (2, 2)), (of("u8", 4, 3, 12),)),
    Example(SumPool((1, 2), (1, 1)), (of("s4", 1, 2, 40),)),
    Example(SumPool((3, 2), (1, 1)), (of("s5", 3, 2, 3),)),
    Example(SumPool((3, 3), (2, 1), (1, 2, 0, 1), -4), (of("s6", 5, 4, 2),)),
    Example(Transpose((1, 0, 2)), (of("u8", 4, 5, 6),)),
    Example(Transpose((2, 0, 1)), (of("s3", 3, 4, 5),)),
    Example(Transpose((0, 2, 1)), (of("u40", 3, 2, 4),)),
    Example(Transpose((1, 0)), (of("s9", 6, 7),)),
    Example(Transpose((2, 1, 3, 0)), (of("u2", 2, 3, 2, 4),)),
    Example(Upsample((2, 2)), (of("u8", 4, 3, 6),)),
    Example(Upsample((1, 3)), (of("s5n", 2, 4, 1),)),
    Example(Upsample((3, 1)), (of("u9", 2, 2, 4),)),
    Example(UpsampleBilinear(), (FLOATS,)),
    Example(UpsampleLinear(0), (of("s6", 4, 3, 4),)),
    Example(UpsampleLinear(1), (of("u8", 2, 5, 6),)),
    Example(UpsampleLinear(1), (of("u5", 3, 1, 2),)),
    Example(UpsampleLinear(0), (of("s3n", 2, 9, 8),)),
)
