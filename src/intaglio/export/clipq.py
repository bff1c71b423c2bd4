# SPDX-License-Identifier: Apache-2.0
"""`clipq`: a folder for each layer of few different weights: `W8.hex`, `W2.hex`; `index.json`.

`W8.hex` is the codebook: an integer of 8 bits, two's complement, a line, in the order of the codes,
zero among them where there is a code left. `W2.hex` has the codes of b bits in words of 32, the
first in the lowest bits and none across two words, in the order outputs, channels, rows, columns.
As CLIP-Q has them, the code of zero is 2^(b-1), negatives are below, where there are not too many
of either sign; codes that nothing has stand for zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from intaglio.artifact import version
from intaglio.errors import ArtifactError, ModelError, VerificationError
from intaglio.export.document import digest, from_json, to_json
from intaglio.export.exporter import Exporter, Files
from intaglio.export.hex import integers, words
from intaglio.export.layers import WeightedSum, weighted_sums
from intaglio.export.names import file_names
from intaglio.export.place import INDEX, read_files
from intaglio.ir.graph import Program
from intaglio.numerics.packing import hex_lines, pack, unpack
from intaglio.numerics.types import IntType

NAME = "clipq"
BOOK, CODES = "W8.hex", "W2.hex"
ENTRY = IntType(8, signed=True)
WORD = 32
#: Codes of more bits are not much shorter than the weights.
MAX_BITS = 4
ORDER = "outputs, channels, rows, columns"


@dataclass(frozen=True, eq=False)
class Coded:
    """A layer's weights as codes of a codebook. Shapes: codes [K, C, R, S] or [K, C], book [2^b].

    `fraction` is how many bits of the codebook are behind the point, where scales are such.
    """

    codes: np.ndarray
    book: np.ndarray
    fraction: int | None = None

    @property
    def bits(self) -> int:
        """Bits of a code."""
        return len(self.book).bit_length() - 1

    @property
    def weight(self) -> np.ndarray:
        """The weights. Shapes: as codes."""
        return self.book[self.codes]


def coded(weight: np.ndarray, fraction: int | None = None) -> Coded | None:
    """Return weights as codes, or None where there are too many different ones or too large."""
    different = np.unique(weight).astype(np.int64)
    bits = max(1, (len(different) - 1).bit_length())
    if len(different) < 1 << bits:
        different = np.union1d(different, [0])
    if bits > MAX_BITS or not ENTRY.contains(different):
        return None
    book, half = np.zeros(1 << bits, np.int64), 1 << (bits - 1)
    negative = int((different < 0).sum())
    room = negative <= half and len(different) - negative <= half
    first = half - negative if room else 0
    book[first : first + len(different)] = different
    codes = first + np.searchsorted(different, weight)
    return Coded(codes, book, fraction)


def layers(program: Program) -> dict[str, Coded]:
    """Return the layers that have codes, by name.

    Raises:
        ModelError: no layer has.
    """
    found = {
        made.node.name: coded(made.weight, _fraction(program, made))
        for made in weighted_sums(program)
    }
    kept = {name: layer for name, layer in found.items() if layer is not None}
    if not kept:
        raise ModelError(
            f"{program.graph.name!r} must have a layer of at most {1 << MAX_BITS} different "
            f"weights of 8 bits for {NAME}: quantize with a codebook"
        )
    return kept


def _fraction(program: Program, made: WeightedSum) -> int | None:
    """Return n where a weight of 1 stands for 2^-n in all channels, if that is known."""
    x, y = (program.quantization.get(name) for name in (made.node.inputs[0], made.node.name))
    if x is None or y is None or len(x.scale) > 1 or len(set(y.scale)) > 1:
        return None
    mantissa, exponent = math.frexp(y.scale[0] / x.scale[0])
    return 1 - exponent if mantissa == 0.5 else None


def write(program: Program) -> Files:
    """Return two files for each layer, and the index."""
    found = layers(program)
    folders = file_names(found, "")
    index: list[dict[str, Any]] = []
    files: dict[str, bytes] = {}
    for name, layer in found.items():
        folder, per_word = folders[name], WORD // layer.bits
        flat = np.zeros(-(-layer.codes.size // per_word) * per_word, np.int64)
        flat[: layer.codes.size] = layer.codes.ravel()
        packed = pack(flat.reshape(-1, per_word), layer.bits)
        files[f"{folder}/{BOOK}"] = words(layer.book, ENTRY).encode()
        files[f"{folder}/{CODES}"] = hex_lines(packed, WORD).encode()
        index.append(
            {
                "name": name,
                "folder": folder,
                "shape": list(layer.codes.shape),
                "bits": layer.bits,
                "fraction_bits": layer.fraction,
                "codes_per_word": per_word,
                "zero_code": _zero_code(layer),
                "sha256": digest(layer.weight),
            }
        )
    about = {"format": NAME, "intaglio": version(), "order": ORDER, "word_bits": WORD}
    return {INDEX: to_json({**about, "layers": index}), **files}


def _zero_code(layer: Coded) -> int | None:
    """Return the code of zero, if it has one: the one in use, if there are several."""
    places = np.flatnonzero(layer.book == 0)
    used = np.intersect1d(places, layer.codes)
    found = used if used.size else places
    return int(found[0]) if found.size else None


def parse(files: Files) -> dict[str, Coded]:
    """Return the layers that files hold, by name.

    Raises:
        ArtifactError: a file is missing or is not what the index says.
    """
    try:
        entries = from_json(files[INDEX], NAME)["layers"]
        return {entry["name"]: _layer(files, entry) for entry in entries}
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"the folder must hold what its index says: {error!r}") from None


def _layer(files: Files, entry: dict[str, Any]) -> Coded:
    book = integers(files[f"{entry['folder']}/{BOOK}"].decode(), ENTRY)
    bits, count = int(entry["bits"]), math.prod(entry["shape"])
    packed = [int(line, 16) for line in files[f"{entry['folder']}/{CODES}"].decode().split()]
    per_word = WORD // bits
    if len(book) != 1 << bits or len(packed) != -(-count // per_word):
        raise ArtifactError(f"layer {entry['name']!r} must have {1 << bits} entries, {count} codes")
    codes = unpack(packed, bits, per_word, signed=False).ravel()[:count].reshape(entry["shape"])
    layer = Coded(codes, book, entry["fraction_bits"])
    if digest(layer.weight) != entry["sha256"]:
        raise ArtifactError(f"layer {entry['name']!r} must match its checksum; it was changed")
    return layer


def read(folder: str | Path) -> dict[str, Coded]:
    """Read layers from a folder, by name.

    Raises:
        ArtifactError: a file is missing or damaged.
    """
    return parse(read_files(folder))


def check(program: Program, files: Files) -> tuple[str, ...]:
    """Read the layers back; say which layers have no codes."""
    found = parse(files)
    left = []
    for made in weighted_sums(program):
        if made.node.name not in found:
            left.append(made.node.name)
        elif not np.array_equal(found[made.node.name].weight, made.weight):
            raise VerificationError(f"layer {made.node.name!r} must be read back as it was written")
    return (f"too many different weights for codes: {', '.join(left)}",) if left else ()


CLIPQ = Exporter(NAME, "codebook and codes of layers of few different weights", "", write, check)
