# SPDX-License-Identifier: Apache-2.0
"""A topology: a CSV file with a line for each layer, convolutions or products of matrices.

    conv:  name, height, width, filter height, width, channels, filters, stride[, stride][, N:M]
    gemm:  name, M, N, K[, N:M]

The first line is a heading. A comma may end a line or not; empty lines and lines that begin with
`#` are passed over. A second stride is that along the width. A name with DP in it stands for a
layer for each channel, as in the tool.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from intaglio.errors import ModelError
from intaglio.scalesim.fields import Field, read_text, whole

KINDS = ("conv", "gemm")
CONV = (
    *("IFMAP Height", "IFMAP Width", "Filter Height", "Filter Width"),
    *("Channels", "Num Filter", "Strides"),
)
GEMM = ("M", "N", "K")
SECOND_STRIDE, RATIO = "Stride Width", "Sparsity"
LARGEST_SIZE = 1 << 24
#: Of an operand. Larger ones are no layer of a network, but a mistake or an attack.
LARGEST_WORDS = 1 << 28
#: Of all windows together, which are not held at once.
LARGEST_PASS = 1 << 31
#: Products of a layer.
LARGEST_WORK = 1 << 42
LARGEST_RATIO = 1 << 10


@dataclass(frozen=True)
class Layer:
    """A convolution without padding: a product of matrices is one whose window is a row.

    `kept` of every `block` words of a filter are not zero, where the run is sparse.
    """

    name: str
    height: int
    width: int
    filter_height: int
    filter_width: int
    channels: int
    filters: int
    stride: int
    stride_width: int
    kept: int = 1
    block: int = 1

    @cached_property
    def out_height(self) -> int:
        """Rows of windows; one more than fits where the stride does not divide."""
        return -(-(self.height - self.filter_height + self.stride) // self.stride)

    @cached_property
    def out_width(self) -> int:
        """Columns of windows; one more than fits where the stride does not divide."""
        return -(-(self.width - self.filter_width + self.stride_width) // self.stride_width)

    @cached_property
    def pixels(self) -> int:
        """Windows, which are elements of an output channel."""
        return self.out_height * self.out_width

    @cached_property
    def taps(self) -> int:
        """Words of a window."""
        return self.filter_height * self.filter_width * self.channels

    @cached_property
    def kept_taps(self) -> int:
        """Words of a window that a sparse filter keeps."""
        return self.taps // self.block * self.kept + min(self.taps % self.block, self.kept)

    @property
    def macs(self) -> int:
        """Products, zeros among them."""
        return self.pixels * self.filters * self.taps


def read_topology(path: str | Path, kind: str = "conv") -> tuple[Layer, ...]:
    """Read and check a topology.

    Raises:
        ModelError: it cannot be used; the text names file, line and field.
    """
    if kind not in KINDS:
        raise ModelError(f"the kind of a topology must be one of {', '.join(KINDS)}, not {kind!r}")
    path = Path(path)
    layers: list[Layer] = []
    for number, line in enumerate(read_text(path, "a topology").splitlines(), 1):
        text = line.strip()
        if number == 1 or not text or text[0] == "#":
            continue
        cells = [cell.strip() for cell in text.split(",")]
        if not cells[-1]:
            cells.pop()
        layers += _layers(f"{path}:{number}", cells, kind)
    if not layers:
        raise ModelError(f"{path} must have a layer below its first line, which is a heading")
    return tuple(layers)


def _layers(where: str, cells: list[str], kind: str) -> Iterator[Layer]:
    """Return the layer of a line, or one for each channel."""
    layer = _conv(where, cells) if kind == "conv" else _gemm(where, cells)
    if layer.filter_height > layer.height or layer.filter_width > layer.width:
        axis = "Height" if layer.filter_height > layer.height else "Width"
        filter_size = layer.filter_height if axis == "Height" else layer.filter_width
        size = layer.height if axis == "Height" else layer.width
        raise ModelError(
            f"{where}: Filter {axis} must be at most IFMAP {axis}, which is {size}, "
            f"not {filter_size}"
        )
    if kind == "conv" and "DP" in layer.name:
        for channel in range(layer.channels):
            yield _within(where, replace(layer, name=f"{layer.name}Channel_{channel}", channels=1))
    else:
        yield _within(where, layer)


def _within(where: str, layer: Layer) -> Layer:
    """Return a layer whose operands are of a size that can be addressed."""
    for name, words, limit in (
        ("IFMAP", layer.height * layer.width * layer.channels, LARGEST_WORDS),
        ("the filters", layer.taps * layer.filters, LARGEST_WORDS),
        ("OFMAP", layer.pixels * layer.filters, LARGEST_WORDS),
        ("all windows", layer.pixels * layer.taps, LARGEST_PASS),
    ):
        if words > limit:
            raise ModelError(
                f"{where}: {name} of a layer must have at most {limit} words, not {words}"
            )
    if layer.macs > LARGEST_WORK:
        raise ModelError(
            f"{where}: a layer must have at most {LARGEST_WORK} products, not {layer.macs}"
        )
    return layer


def _conv(where: str, cells: list[str]) -> Layer:
    numbers, rest = _numbers(where, cells, CONV)
    strides = (numbers[6], numbers[6])
    if rest and ":" not in rest[0]:
        strides = (numbers[6], whole(Field(where, SECOND_STRIDE, rest.pop(0)), 1, LARGEST_SIZE))
    kept, block = _ratio(where, rest)
    height, width, filter_height, filter_width, channels, filters, _ = numbers
    return Layer(
        *(cells[0], height, width, filter_height, filter_width, channels, filters),
        *(*strides, kept, block),
    )


def _gemm(where: str, cells: list[str]) -> Layer:
    (m, n, k), rest = _numbers(where, cells, GEMM)
    return Layer(cells[0], m, k, 1, k, 1, n, 1, 1, *_ratio(where, rest))


def _numbers(where: str, cells: list[str], names: tuple[str, ...]) -> tuple[list[int], list[str]]:
    """Read the numbers that every layer has; return them and the cells after them."""
    if len(cells) <= len(names):
        raise ModelError(
            f"{where}: a layer must have a name and {len(names)} numbers "
            f"({', '.join(names)}), not {max(len(cells) - 1, 0)}"
        )
    fields = zip(names, cells[1:], strict=False)
    numbers = [whole(Field(where, name, cell), 1, LARGEST_SIZE) for name, cell in fields]
    return numbers, cells[len(names) + 1 :]


def _ratio(where: str, cells: list[str]) -> tuple[int, int]:
    """Read N:M, which may be left out."""
    if not cells:
        return 1, 1
    text = cells[0]
    kept, colon, block = text.partition(":")
    if len(cells) > 1 or not colon:
        raise ModelError(
            f"{where}: {RATIO} must be like 2:4, and the last of a line, not {', '.join(cells)!r}"
        )
    many = whole(Field(where, f"{RATIO} M", block), 1, LARGEST_RATIO)
    return whole(Field(where, f"{RATIO} N", kept), 1, many), many
