# SPDX-License-Identifier: Apache-2.0
"""A family of parts: which cells it makes memories, multipliers and logic of.

One TOML file each in `families`, every number with its source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from intaglio.devices.fields import (
    Reader,
    count_field,
    counts_field,
    ratio_field,
    read_described,
    read_toml,
    rows_field,
    share_field,
    text_field,
)
from intaglio.errors import ModelError

_FILES = resources.files("intaglio.devices") / "families"


@dataclass(frozen=True)
class Family:
    """What every part of a family has in common.

    `lut_inputs` are those of one table.
    `rom_mux` is how many tables choose between two tables that hold the words of a ROM: 0 where
    the fabric has multiplexers for it.
    `distributed` is one memory in the fabric: its bits, its words, the tables and flip-flops it
    takes, and the tables a bit takes to choose between two of them; all 0 where there is none, and
    block RAM takes its place.
    `multipliers` are the forms of a product, the first that fits being taken: most bits of the
    wider and of the narrower signed operand, `dsp` cells, tables for each bit of the wider one, and
    flip-flops for each bit of both.
    `lut_factor` and `ff_factor` turn estimates of plain logic in 4-input tables into cells;
    `ff_lut` is how many tables a flip-flop takes the place of on average, 0 where it has its own.
    """

    name: str
    lut_inputs: int
    rom_mux: int
    distributed: tuple[int, int, int, int, int]
    multipliers: tuple[tuple[int, int, int, int, int], ...]
    lut_factor: float
    ff_factor: float
    ff_lut: float
    sources: tuple[tuple[str, str], ...]

    def multiplier(self, a: int, b: int) -> tuple[int, int, int]:
        """Return the `dsp` cells, tables and flip-flops of a product of two signed operands.

        Units: a and b are bits.

        Raises:
            ModelError: the family has no form for it.
        """
        wide, narrow = max(a, b), min(a, b)
        for most, least, dsp, lut, ff in self.multipliers:
            if wide <= most and narrow <= least:
                return dsp, lut * wide, ff * (a + b)
        raise ModelError(f"a product on {self.name} must fit its multipliers, not be {a} x {b}")


def families() -> tuple[str, ...]:
    """Return the names of the families that come with the package."""
    names = (file.name for file in _FILES.iterdir())
    return tuple(sorted(n.removesuffix(".toml") for n in names if n.endswith(".toml")))


@cache
def family(name: str) -> Family:
    """Return a family by its name.

    Raises:
        ModelError: there is no such family; the text lists those there are.
    """
    if name not in families():
        raise ModelError(f"family must be one of {', '.join(families())}, not {name!r}")
    return parse_family((_FILES / f"{name}.toml").read_text(encoding="utf-8"), f"{name}.toml")


def parse_family(text: str, where: str) -> Family:
    """Read the text of a family's file; `where` names it in errors.

    Raises:
        ModelError: it is not TOML, or a field is missing, unknown or wrong.
    """
    return Family(**read_described(read_toml(text, where), where, _FIELDS, {}))


_FIELDS: Mapping[str, Reader] = {
    "name": text_field,
    "lut_inputs": count_field,
    "rom_mux": count_field,
    "distributed": counts_field(5),
    "multipliers": rows_field(5),
    "lut_factor": ratio_field,
    "ff_factor": ratio_field,
    "ff_lut": share_field,
}
