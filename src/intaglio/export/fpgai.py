# SPDX-License-Identifier: Apache-2.0
"""`fpgai`: `weight.bin`, `bias.bin` and `quant.txt`, the files of FPGAI, and `index.json`.

For each weighted sum that one multiplier scales, in order: unsigned codes of 8 bits q = weight + z,
outputs first, then channels, rows, columns; biases of 32 bits, little-endian; a line `M,n,z` for

    result = ((sum of x * (q - z)) + bias) * M >> n

The shift rounds down. A program that rounds half up has half of 2^n in the bias where M divides it.
The shapes are in the index, which FPGAI itself does not read; nodes between the layers, and how a
result saturates, are in no file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from intaglio.artifact import version
from intaglio.errors import ArtifactError, ModelError, VerificationError
from intaglio.export.document import from_json, to_json
from intaglio.export.exporter import Exporter, Files
from intaglio.export.layers import WeightedSum, weighted_sums
from intaglio.export.place import INDEX, read_files
from intaglio.ir.graph import Node, Program
from intaglio.numerics.rounding import Rounding
from intaglio.numerics.types import IntType
from intaglio.ops.requantize import Requantize

NAME = "fpgai"
WEIGHT, BIAS, QUANT = "weight.bin", "bias.bin", "quant.txt"
CODES = IntType(8, signed=False)
BIASES = IntType(32, signed=True)


@dataclass(frozen=True, eq=False)
class Layer:
    """What the files say of a layer. Shapes: codes [K, C, R, S] or [K, C], bias [K]."""

    codes: np.ndarray
    bias: np.ndarray
    multiplier: int
    shift: int
    zero: int


def layers(program: Program) -> dict[str, Layer]:
    """Return the layers of a program by name.

    Raises:
        ModelError: there is none, or one does not fit; the text names the node.
    """
    found = {made.node.name: _layer(program, made) for made in weighted_sums(program)}
    if not found:
        raise ModelError(f"{program.graph.name!r} must have a layer with weights for {NAME}")
    return found


def _layer(program: Program, made: WeightedSum) -> Layer:
    node, scaled = made.node, made.requantizer
    if scaled is None or not isinstance(scaled.op, Requantize):
        raise ModelError(f"{node} must be read by one requantize for {NAME}, and by nothing else")
    multiplier = program.graph.constants[scaled.inputs[1]].data
    if np.any(multiplier != multiplier[0]):
        raise ModelError(f"{scaled} must have one multiplier for {NAME}: quantize per_tensor")
    if scaled.op.zero_point:
        raise ModelError(f"{scaled} must have zero point 0 for {NAME}, not {scaled.op.zero_point}")
    zero = max(0, -int(made.weight.min()))
    codes = made.weight.astype(np.int64) + zero
    if not CODES.contains(codes):
        raise ModelError(f"{node} must have weights within 255 of each other, not {codes.max()}")
    bias = program.graph.constants[node.inputs[2]].data.astype(np.int64)
    half, factor = _half(scaled, scaled.op), int(multiplier[0])
    if factor and half % factor == 0:
        bias = bias + half // factor
    if not BIASES.contains(bias):
        raise ModelError(f"{node} must have a bias of 32 bits, not {bias.min()}..{bias.max()}")
    return Layer(codes, bias, factor, scaled.op.shift, zero)


def _half(node: Node, op: Requantize) -> int:
    """Return what is added before a shift that rounds down.

    Raises:
        ModelError: it rounds neither down nor half up.
    """
    if op.rounding is Rounding.FLOOR:
        return 0
    if op.rounding is Rounding.HALF_UP:
        return (1 << op.shift) >> 1
    raise ModelError(f"{node} must round half up or down for {NAME}, not {op.rounding.value}")


def write(program: Program) -> Files:
    """Return the three files and the index."""
    found = layers(program)
    document = {
        "format": NAME,
        "intaglio": version(),
        "order": "outputs, channels, rows, columns",
        "layers": [{"name": name, "shape": list(each.codes.shape)} for name, each in found.items()],
    }
    lines = [f"{each.multiplier},{each.shift},{each.zero}\n" for each in found.values()]
    return {
        INDEX: to_json(document),
        WEIGHT: b"".join(each.codes.astype(np.uint8).tobytes() for each in found.values()),
        BIAS: b"".join(each.bias.astype("<i4").tobytes() for each in found.values()),
        QUANT: "".join(lines).encode(),
    }


def parse(files: Files, shapes: Sequence[Sequence[int]]) -> list[Layer]:
    """Return the layers that three files hold.

    Args:
        files: contents by name.
        shapes: of the weights of each layer, outputs first.

    Raises:
        ArtifactError: the files are longer or shorter than the shapes, or a line is not M,n,z.
    """
    weight = np.frombuffer(files[WEIGHT], np.uint8).astype(np.int64)
    if len(files[BIAS]) % 4:
        raise ArtifactError(f"{BIAS} must hold numbers of 4 bytes, not {len(files[BIAS])} bytes")
    bias = np.frombuffer(files[BIAS], "<i4").astype(np.int64)
    lines = files[QUANT].decode().split()
    sizes, outputs = [math.prod(shape) for shape in shapes], [shape[0] for shape in shapes]
    for name, found, wanted in (
        (WEIGHT, len(weight), sum(sizes)),
        (BIAS, len(bias), sum(outputs)),
        (QUANT, len(lines), len(shapes)),
    ):
        if found != wanted:
            raise ArtifactError(f"{name} must hold {wanted} entries for these shapes, not {found}")
    made = []
    for line, shape, size in zip(lines, shapes, sizes, strict=True):
        try:
            multiplier, shift, zero = (int(word) for word in line.split(","))
        except ValueError:
            raise ArtifactError(f"a line of {QUANT} must be M,n,z, not {line!r}") from None
        made.append(Layer(weight[:size].reshape(shape), bias[: shape[0]], multiplier, shift, zero))
        weight, bias = weight[size:], bias[shape[0] :]
    return made


def read(folder: str | Path, shapes: Sequence[Sequence[int]] | None = None) -> list[Layer]:
    """Read layers from a folder; `shapes` are those of its index unless they are given.

    Raises:
        ArtifactError: a file is missing, or does not fit the shapes.
    """
    files = read_files(folder, WEIGHT, BIAS, QUANT)
    if shapes is None:
        index = from_json(read_files(folder, INDEX)[INDEX], NAME)
        shapes = [entry["shape"] for entry in index["layers"]]
    return parse(files, shapes)


def check(program: Program, files: Files) -> tuple[str, ...]:
    """Read the layers back; say where the program rounds otherwise than the format's formula."""
    index = from_json(files[INDEX], NAME)
    found = parse(files, [entry["shape"] for entry in index["layers"]])
    for (name, wanted), got in zip(layers(program).items(), found, strict=True):
        same = (wanted.multiplier, wanted.shift, wanted.zero) == (
            got.multiplier,
            got.shift,
            got.zero,
        )
        same = same and np.array_equal(wanted.codes, got.codes)
        if not (same and np.array_equal(wanted.bias, got.bias)):
            raise VerificationError(f"layer {name!r} must be read back as it was written")
    other = [
        made.node.name
        for made, layer in zip(weighted_sums(program), found, strict=True)
        if made.requantizer is not None
        and isinstance(made.requantizer.op, Requantize)
        and layer.multiplier
        and _half(made.requantizer, made.requantizer.op) % layer.multiplier
    ]
    if not other:
        return ()
    return (f"the shift behind {', '.join(other)} rounds down; the program's rounds half up",)


FPGAI = Exporter(NAME, "weight.bin, bias.bin, quant.txt of 8-bit layers", "", write, check)
