# SPDX-License-Identifier: Apache-2.0
"""The operators a second time: loops over Python integers, written to be read, never to be fast."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from hypothesis import strategies as st

from intaglio.ir.operator import Operator
from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.windows import Padding, Pair

#: Integer types of every sign and of narrow range, up to 9 bits.
elements = st.builds(
    lambda width, signed, narrow: IntType(width, signed, narrow and signed),
    st.integers(2, 9),
    st.booleans(),
    st.booleans(),
)
paddings = st.tuples(*[st.integers(0, 2)] * 4)
pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))

#: Shape of a batch of images, kernel, stride, padding smaller than the kernel.
Geometry = tuple[tuple[int, ...], Pair, Pair, Padding]


@st.composite
def integers(draw: st.DrawFn, element: IntType, shape: tuple[int, ...]) -> np.ndarray:
    """Draw an array of codes in the type's own machine integers, extremes included often."""
    size = int(np.prod(shape))
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    codes = random.integers(element.min, element.max, size, endpoint=True)
    ends = random.choice([element.min, element.max], size)
    extreme = draw(st.sampled_from([0.0, 0.3, 1.0]))
    chosen = np.where(random.random(size) < extreme, ends, codes)
    return chosen.reshape(shape).astype(element.dtype)


@st.composite
def geometries(draw: st.DrawFn) -> Geometry:
    kernel = draw(pairs)
    top, left, bottom, right = draw(paddings)
    padding = (
        min(top, kernel[0] - 1),
        min(left, kernel[1] - 1),
        min(bottom, kernel[0] - 1),
        min(right, kernel[1] - 1),
    )
    height = draw(st.integers(max(1, kernel[0] - padding[0] - padding[2]), 6))
    width = draw(st.integers(max(1, kernel[1] - padding[1] - padding[3]), 6))
    return (2, height, width, draw(st.integers(1, 3))), kernel, draw(pairs), padding


def output_shape(
    shape: tuple[int, ...],
    kernel: Pair,
    stride: Pair,
    padding: Padding,
    dilation: Pair = (1, 1),
) -> Pair:
    """Count windows by sliding them."""
    top, left, bottom, right = padding
    last_row, last_column = ((k - 1) * d for k, d in zip(kernel, dilation, strict=True))
    down = len(range(-top, shape[0] + bottom - last_row, stride[0]))
    across = len(range(-left, shape[1] + right - last_column, stride[1]))
    return down, across


def window(
    image: np.ndarray,
    p: int,
    q: int,
    kernel: Pair,
    stride: Pair,
    padding: Padding,
    dilation: Pair = (1, 1),
) -> Iterator[tuple[int, int, list[int] | None]]:
    """Yield (r, s, pixel) of one window; a pixel outside the image is None."""
    for r in range(kernel[0]):
        for s in range(kernel[1]):
            h = p * stride[0] + r * dilation[0] - padding[0]
            w = q * stride[1] + s * dilation[1] - padding[1]
            inside = 0 <= h < image.shape[0] and 0 <= w < image.shape[1]
            yield r, s, image[h, w].tolist() if inside else None


def conv2d(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    stride: Pair = (1, 1),
    padding: Padding = (0, 0, 0, 0),
    pad_value: int = 0,
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> list[object]:
    outputs, *kernel, channels = weight.shape
    size = (kernel[0], kernel[1])
    down, across = output_shape(x.shape[1:], size, stride, padding, dilation)
    frames: list[object] = []
    for image in x:
        frame = [[[int(b) for b in bias] for _ in range(across)] for _ in range(down)]
        for p in range(down):
            for q in range(across):
                for r, s, pixel in window(image, p, q, size, stride, padding, dilation):
                    for k in range(outputs):
                        first = k * groups // outputs * channels
                        for c, w in enumerate(weight[k, r, s].tolist(), first):
                            frame[p][q][k] += (pad_value if pixel is None else pixel[c]) * w
        frames.append(frame)
    return frames


def conv_transpose2d(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    stride: Pair,
    padding: Padding,
    output_padding: Pair,
    dilation: Pair,
    groups: int,
    pad_value: int,
) -> list[object]:
    """Stuff pixels of `pad_value` between and around those of x, and look from every output."""
    outputs, r, s, channels = weight.shape
    top, left, bottom, right = padding
    down, across = (
        (n - 1) * step + (size - 1) * apart + 1 + more
        for n, step, size, apart, more in zip(
            x.shape[1:3], stride, (r, s), dilation, output_padding, strict=True
        )
    )
    frames: list[object] = []
    for image in x:
        frame = [
            [[int(b) for b in bias] for _ in range(left, across - right)]
            for _ in range(top, down - bottom)
        ]
        for p, q, k in np.ndindex(down - top - bottom, across - left - right, outputs):
            for row, column, c in np.ndindex(r, s, channels):
                h, rest_h = divmod(p + top - row * dilation[0], stride[0])
                w, rest_w = divmod(q + left - column * dilation[1], stride[1])
                inside = 0 <= h < image.shape[0] and 0 <= w < image.shape[1]
                value = pad_value
                if inside and rest_h == rest_w == 0:
                    value = int(image[h, w, k * groups // outputs * channels + c])
                frame[p][q][k] += value * int(weight[k, row, column, c])
        frames.append(frame)
    return frames


def pool(
    x: np.ndarray,
    kernel: Pair,
    stride: Pair,
    padding: Padding,
    reduce: Callable[[list[int | None]], object],
) -> list[object]:
    """Reduce each window of each channel; elements outside the image are None."""
    down, across = output_shape(x.shape[1:], kernel, stride, padding)
    return [
        [
            [
                [
                    reduce(
                        [
                            None if pixel is None else pixel[c]
                            for _, _, pixel in window(image, p, q, kernel, stride, padding)
                        ]
                    )
                    for c in range(x.shape[3])
                ]
                for q in range(across)
            ]
            for p in range(down)
        ]
        for image in x
    ]


def types(*arrays: tuple[np.ndarray, IntType]) -> list[TensorType]:
    """Return operand types: the first array is a batch of frames, the others are constants."""
    (first, element), *others = arrays
    return [
        TensorType(first.shape[1:], element),
        *(TensorType(array.shape, kind) for array, kind in others),
    ]


def evaluated(op: Operator, operand_types: list[TensorType], *arrays: np.ndarray) -> np.ndarray:
    """Evaluate, and prove that the type rule's shape and range contain the result."""
    result = op.evaluate(*arrays)
    inferred = op.infer(*operand_types)
    assert result.shape == (len(arrays[0]), *inferred.shape)
    assert np.issubdtype(result.dtype, np.integer)
    assert inferred.integer.contains(result)
    return result


def is_tight(found: IntType, low: int, high: int) -> bool:
    """Tell whether no narrower type of the same form would hold both ends."""
    return found == IntType.holding(low, high)
