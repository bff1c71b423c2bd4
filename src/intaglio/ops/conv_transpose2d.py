# SPDX-License-Identifier: Apache-2.0
"""Two-dimensional transposed convolution with bias: every pixel puts a kernel into a larger image.

    y[p, q, k] = bias[k] + sum over h, w, r, s, c of x[h, w, g*C/groups + c] * weight[k, r, s, c]
        where h*stride + r*dilation = p + top and w*stride + s*dilation = q + left

and g = k // (K/groups) is the group of channels that output k belongs to.

Shapes: x (H, W, C), weight [K, R, S, C/groups], bias [K]; y (P, Q, K) with
P = (H - 1)*stride + (R - 1)*dilation + 1 + output_padding - top - bottom. Where a place of the
kernel meets no pixel, between them or outside, x is `pad_value`: the zero point of x. Exact on
integers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from intaglio.errors import ModelError
from intaglio.ir.constant import Constant
from intaglio.ir.loops import Access, LoopNest
from intaglio.ir.operator import Operator, Step
from intaglio.ir.types import Element, TensorType
from intaglio.numerics import exact
from intaglio.numerics.types import IntType
from intaglio.ops.conv2d import Conv2d, check_operands
from intaglio.ops.depth_to_space import DepthToSpace
from intaglio.ops.slice import Slice
from intaglio.ops.windows import Padding, Pair


@dataclass(frozen=True)
class _Axis:
    """Rows or columns, where `stride` ordinary convolutions take turns along the larger image.

    Number t of the larger image, counted before cropping, is made by sub-kernel t % stride, which
    has the places of the kernel that fall on such numbers.
    """

    size: int
    kernel: int
    stride: int
    dilation: int
    cropped: tuple[int, int]
    added: int

    @property
    def full(self) -> int:
        """Length before cropping."""
        return (self.size - 1) * self.stride + (self.kernel - 1) * self.dilation + 1 + self.added

    @property
    def result(self) -> int:
        """Length of the result."""
        return self.full - sum(self.cropped)

    @property
    def places(self) -> int:
        """Length of a sub-kernel, zeros included."""
        return (self.kernel - 1) * self.dilation // self.stride + 1

    @property
    def fewest(self) -> int:
        """Places of the kernel in the sub-kernel that has fewest."""
        turns = np.arange(self.kernel) * self.dilation % self.stride
        return int(np.bincount(turns, minlength=self.stride).min())

    @property
    def skipped(self) -> int:
        """Windows at the beginning that would be cropped whole, as far as there is padding."""
        return min(self.cropped[0] // self.stride, self.places - 1)

    @property
    def padding(self) -> Pair:
        """Padding before and after, so that there is a window for every turn."""
        turns = -(-(self.full - self.cropped[1]) // self.stride)
        return self.places - 1 - self.skipped, max(0, turns - self.size)

    @property
    def start(self) -> int:
        """First number that is kept of those that the windows make."""
        return self.cropped[0] - self.skipped * self.stride

    @property
    def made(self) -> int:
        """How many the windows make."""
        return (self.size + self.padding[1] - self.skipped) * self.stride


@dataclass(frozen=True)
class ConvTranspose2d(Operator):
    """Transposed convolution over channels-last images; `padding` crops the result."""

    name: ClassVar[str] = "conv_transpose2d"
    operands: ClassVar[tuple[str, ...]] = ("x", "weight", "bias")
    constant_operands: ClassVar[frozenset[str]] = frozenset({"weight", "bias"})

    stride: Pair = (1, 1)
    padding: Padding = (0, 0, 0, 0)
    output_padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1
    pad_value: int = 0

    # --- 1 type rule ---------------------------------------------------------------------------

    def infer(self, *types: TensorType) -> TensorType:
        """Return (P, Q, K) with the accumulator's type of the convolution it is lowered to."""
        x, weight, bias = types
        if min(*self.stride, *self.dilation) < 1 or min(*self.padding, *self.output_padding) < 0:
            raise ModelError(
                f"stride and dilation must be at least 1, padding and output_padding 0, not "
                f"{self.stride} {self.dilation} {self.padding} {self.output_padding}"
            )
        check_operands(x, weight, bias, self.groups)
        rows, columns = self._axes(x.shape, weight.shape)
        if min(rows.result, columns.result) < 1:
            raise ModelError(
                f"padding must leave some of the image, {rows.full}x{columns.full}, "
                f"not be {self.padding}"
            )
        turns = self.stride[0] * self.stride[1]
        kernels = (weight.shape[0] * turns, rows.places, columns.places, weight.shape[3])
        core = self._core(rows, columns).infer(
            x,
            TensorType(kernels, weight.element),
            TensorType(kernels[:1], self._bias_element(weight, bias)),
        )
        return TensorType((rows.result, columns.result, weight.shape[0]), core.element)

    def _bias_element(self, weight: TensorType, bias: TensorType) -> Element:
        """Return what holds a bias and `pad_value` under all places of a kernel but some."""
        if not isinstance(weight.element, IntType) or not isinstance(bias.element, IntType):
            return bias.element
        rows, columns = self._axes((1, 1), weight.shape)
        _, r, s, c = weight.shape
        absent = (r * s - rows.fewest * columns.fewest) * c
        ends = [absent * self.pad_value * end for end in (weight.element.min, weight.element.max)]
        if not any(ends):
            return bias.element
        return IntType.holding(bias.element.min + min(ends), bias.element.max + max(ends))

    def _axes(self, x: Sequence[int], weight: Sequence[int]) -> tuple[_Axis, _Axis]:
        (sr, sc), (dr, dc), (more_r, more_c) = self.stride, self.dilation, self.output_padding
        top, left, bottom, right = self.padding
        return (
            _Axis(x[0], weight[1], sr, dr, (top, bottom), more_r),
            _Axis(x[1], weight[2], sc, dc, (left, right), more_c),
        )

    # --- 2 meaning -----------------------------------------------------------------------------

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Compute a batch: all products at once, then each place of the kernel into the image."""
        x, weight, bias = arrays
        floating = np.issubdtype(x.dtype, np.floating)
        wide = np.dtype(x.dtype if floating else np.int64)
        (n, h, w, _), (k, r, s, c) = x.shape, weight.shape
        outputs = k // self.groups
        pixels = x.astype(wide).reshape(-1, self.groups, c).transpose(1, 0, 2) - self.pad_value
        kernel = weight.reshape(self.groups, outputs, r, s, c).transpose(0, 4, 2, 3, 1)
        kernel = kernel.reshape(self.groups, c, r * s * outputs)
        products = pixels @ kernel if floating else exact.matmul(pixels, kernel)
        places = products.reshape(self.groups, n, h, w, r, s, outputs)
        rows, columns = self._axes(x.shape[1:], weight.shape)
        full = np.zeros((n, rows.full, columns.full, self.groups, outputs), wide)
        for down, across in np.ndindex(r, s):
            first, left = down * rows.dilation, across * columns.dilation
            full[
                :,
                first : first + (h - 1) * rows.stride + 1 : rows.stride,
                left : left + (w - 1) * columns.stride + 1 : columns.stride,
            ] += np.moveaxis(places[:, :, :, :, down, across], 0, 3)
        top, left, _, _ = self.padding
        kept = full[:, top : top + rows.result, left : left + columns.result]
        nothing = self.pad_value * weight.astype(wide).sum(axis=(1, 2, 3))
        return kept.reshape(*kept.shape[:3], k) + (bias.astype(wide) + nothing)

    # --- 3 loops -------------------------------------------------------------------------------

    def loops(self, *types: TensorType) -> LoopNest:
        """Return the nest G K P Q C R S: R and S walk over the places of a sub-kernel.

        Which row and column is read is a quotient, no sum of loops, and left out of the access.
        """
        k, _, _, c = types[1].shape
        rows, columns = self._axes(types[0].shape, types[1].shape)
        outputs = k // self.groups
        output = (("G", outputs), ("K", 1))
        reads = (
            Access("x", ((), (), (("G", c), ("C", 1)))),
            Access("weight", (output, (("R", 1),), (("S", 1),), (("C", 1),))),
        )
        sizes = {
            "G": self.groups,
            "K": outputs,
            "P": rows.result,
            "Q": columns.result,
            "C": c,
            "R": rows.places,
            "S": columns.places,
        }
        return LoopNest(sizes, reads, Access("output", ((("P", 1),), (("Q", 1),), output)), True)

    # --- 5 lowering ----------------------------------------------------------------------------

    def lower(self, types: Sequence[TensorType]) -> Sequence[Step]:
        """Convolve with every sub-kernel, put their results side by side, crop.

        Channels of the convolution are ordered for `depth_to_space`: sub-kernel first, or, so that
        groups stay together, output first.
        """
        rows, columns = self._axes(types[0].shape, types[1].shape)
        size, outputs = (rows.result, columns.result), types[1].shape[0]
        steps = [Step("turns", self._core(rows, columns), ("x", "kernels", "biases"))]
        if self.stride != (1, 1):
            mode = "dcr" if self.groups == 1 else "crd"
            steps.append(Step("woven", DepthToSpace(self.stride, mode), (steps[-1].name,)))
        if (rows.made, columns.made) != size:
            starts = (rows.start, columns.start, 0)
            stops = (rows.start + size[0], columns.start + size[1], outputs)
            steps.append(Step("cropped", Slice(starts, stops, (1, 1, 1)), (steps[-1].name,)))
        return steps

    def _core(self, rows: _Axis, columns: _Axis) -> Conv2d:
        padding = zip(rows.padding, columns.padding, strict=True)
        (top, left), (bottom, right) = padding
        return Conv2d((1, 1), (top, left, bottom, right), self.pad_value, groups=self.groups)

    def lowered_constants(self, constants: Mapping[str, Constant]) -> Mapping[str, Constant]:
        """Return the sub-kernels; and biases, with what places add that are not in a sub-kernel."""
        weight, bias = constants["weight"], constants["bias"]
        kernels = self._sub_kernels(weight.data)
        data = weight.data.astype(np.int64)
        missing = data.sum(axis=(1, 2, 3)) - kernels.astype(np.int64).sum(axis=(3, 4, 5))
        biases = bias.data.astype(np.int64) + self.pad_value * missing
        if self.groups > 1:  # output first, so that groups stay together
            kernels, biases = np.moveaxis(kernels, 2, 0), np.moveaxis(biases, 2, 0)
        element = self._bias_element(weight.type, bias.type)
        return {
            "kernels": Constant(kernels.reshape(-1, *kernels.shape[3:]), weight.element),
            "biases": Constant(biases.reshape(-1), element),
        }

    def _sub_kernels(self, weight: np.ndarray) -> np.ndarray:
        """Deal the places of kernels out to their turns, last place first.

        Shapes: weight [K, R, S, C]; result [turns down, turns across, K, places, places, C].
        """
        k, _, _, c = weight.shape
        rows, columns = self._axes((1, 1), weight.shape)
        shape = (k, rows.places, rows.stride, columns.places, columns.stride, c)
        spread = np.zeros((k, shape[1] * shape[2], shape[3] * shape[4], c), weight.dtype)
        down = slice(0, (rows.kernel - 1) * rows.dilation + 1, rows.dilation)
        across = slice(0, (columns.kernel - 1) * columns.dilation + 1, columns.dilation)
        spread[:, down, across] = weight
        return spread.reshape(shape)[:, ::-1, :, ::-1].transpose(2, 4, 0, 1, 3, 5)
