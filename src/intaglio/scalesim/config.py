# SPDX-License-Identifier: Apache-2.0
"""A SCALE-Sim `.cfg` file: the array, its buffers, its bandwidths.

Keys are found by name whatever their case, in their section. Those that describe the array must be
there; every other one may be left out and is then what `DEFAULTS` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from intaglio.errors import ModelError
from intaglio.scalesim.dataflow import DATAFLOWS
from intaglio.scalesim.fields import Field, read_text, whole

ARRAY, LAYOUT = "architecture_presets", "layout"
SPARSITY, PRESETS = "sparsity", "run_presets"
#: What a key is where the file does not say, by section and key as they are looked up.
DEFAULTS: Mapping[tuple[str, str], str] = {
    ("general", "run_name"): "scale_run",
    (ARRAY, "IfmapOffset"): "0",
    (ARRAY, "FilterOffset"): "10000000",
    (ARRAY, "OfmapOffset"): "20000000",
    (LAYOUT, "IfmapCustomLayout"): "False",
    (LAYOUT, "FilterCustomLayout"): "False",
    (LAYOUT, "IfmapSRAMBankNum"): "1",
    (LAYOUT, "FilterSRAMBankNum"): "1",
    (SPARSITY, "SparsitySupport"): "false",
    (SPARSITY, "SparseRep"): "ellpack_block",
    (SPARSITY, "OptimizedMapping"): "false",
    (PRESETS, "InterfaceBandwidth"): "CALC",
    (PRESETS, "UseRamulatorTrace"): "False",
}
STORAGES = ("csr", "csc", "ellpack_block")
#: Words of a buffer size's unit.
KILO = 1024
LARGEST_EDGE = 1 << 16
LARGEST_BUFFER_KB = 1 << 21
LARGEST_OFFSET = 1 << 40
LARGEST_BANDWIDTH = 1 << 20
#: Words a cycle that DRAM gives where bandwidth is estimated.
ESTIMATED_BANDWIDTH = 10


@dataclass(frozen=True)
class Config:
    """What a run needs to know of the machine.

    Units: buffers in words, bandwidths in words a cycle, offsets are the first address of a tensor.
    `user` tells whether bandwidths are given (USER) or estimated (CALC).
    """

    run_name: str
    rows: int
    columns: int
    ifmap_buffer: int
    filter_buffer: int
    ofmap_buffer: int
    ifmap_offset: int
    filter_offset: int
    ofmap_offset: int
    dataflow: str
    user: bool
    ifmap_bandwidth: int
    filter_bandwidth: int
    ofmap_bandwidth: int
    sparse: bool
    storage: str


def read_config(path: str | Path) -> Config:
    """Read and check a `.cfg` file.

    Raises:
        ModelError: it cannot be used; the text names file, line and key.
    """
    file = _File(Path(path), _keys(Path(path)))
    for section, key in ((LAYOUT, "IfmapCustomLayout"), (LAYOUT, "FilterCustomLayout")):
        file.refuse(section, key, "custom layouts are not modeled")
    file.refuse(PRESETS, "UseRamulatorTrace", "latencies of Ramulator are not modeled")
    file.refuse(SPARSITY, "OptimizedMapping", "only layer-wise sparsity is modeled")
    user = file.choice(PRESETS, "InterfaceBandwidth", ("CALC", "USER")) == "USER"
    sparse = file.truth(SPARSITY, "SparsitySupport")
    columns = file.number(ARRAY, "ArrayWidth", 1, LARGEST_EDGE)
    if user:
        bandwidths = (
            file.bank_bandwidth("Ifmap"),
            file.bank_bandwidth("Filter"),
            file.first_number(ARRAY, "Bandwidth", 1, LARGEST_BANDWIDTH),
        )
    else:
        bandwidths = (ESTIMATED_BANDWIDTH, ESTIMATED_BANDWIDTH, columns)
    return Config(
        run_name=file.name("general", "run_name"),
        rows=file.number(ARRAY, "ArrayHeight", 1, LARGEST_EDGE),
        columns=columns,
        ifmap_buffer=KILO * file.number(ARRAY, "IfmapSramSzkB", 1, LARGEST_BUFFER_KB),
        filter_buffer=KILO * file.number(ARRAY, "FilterSramSzkB", 1, LARGEST_BUFFER_KB),
        ofmap_buffer=KILO * file.number(ARRAY, "OfmapSramSzkB", 1, LARGEST_BUFFER_KB),
        ifmap_offset=file.number(ARRAY, "IfmapOffset", 0, LARGEST_OFFSET),
        # a sparse filter's word at address 0 is taken for a zero by the tool
        filter_offset=file.number(ARRAY, "FilterOffset", int(sparse), LARGEST_OFFSET),
        ofmap_offset=file.number(ARRAY, "OfmapOffset", 0, LARGEST_OFFSET),
        dataflow=file.choice(ARRAY, "Dataflow", tuple(DATAFLOWS)),
        user=user,
        ifmap_bandwidth=bandwidths[0],
        filter_bandwidth=bandwidths[1],
        ofmap_bandwidth=bandwidths[2],
        sparse=sparse,
        storage=file.choice(SPARSITY, "SparseRep", STORAGES),
    )


@dataclass(frozen=True)
class _File:
    path: Path
    keys: Mapping[tuple[str, str], Field]

    def field(self, section: str, key: str) -> Field:
        """Return a key's text, or its default where the file leaves it out."""
        found = self.keys.get((section, key.lower()))
        if found is not None:
            return found
        if (section, key) not in DEFAULTS:
            raise ModelError(f"{self.path}: section [{section}] must have the key {key}")
        return Field(f"{self.path}", key, DEFAULTS[section, key])

    def number(self, section: str, key: str, low: int, high: int) -> int:
        return whole(self.field(section, key), low, high)

    def first_number(self, section: str, key: str, low: int, high: int) -> int:
        """Return the first of a list of numbers: the tool uses no other."""
        field = self.field(section, key)
        return whole(Field(field.where, field.name, field.text.split(",")[0]), low, high)

    def bank_bandwidth(self, operand: str) -> int:
        """Return the words a cycle of all banks of an operand's buffer, which must share them."""
        field = self.field(LAYOUT, f"{operand}SRAMBankBandwidth")
        words = whole(field, 1, LARGEST_BANDWIDTH)
        banks = self.number(LAYOUT, f"{operand}SRAMBankNum", 1, LARGEST_BANDWIDTH)
        if words % banks:
            raise ModelError(
                f"{field.where}: {field.name} must be a multiple of {operand}SRAMBankNum, "
                f"which is {banks}, not {words}"
            )
        return words

    def choice(self, section: str, key: str, known: tuple[str, ...]) -> str:
        field = self.field(section, key)
        if field.text not in known:
            raise ModelError(
                f"{field.where}: {field.name} must be one of {', '.join(known)}, not {field.text!r}"
            )
        return field.text

    def truth(self, section: str, key: str) -> bool:
        field = self.field(section, key)
        if field.text.lower() not in ("true", "false"):
            raise ModelError(
                f"{field.where}: {field.name} must be True or False, not {field.text!r}"
            )
        return field.text.lower() == "true"

    def refuse(self, section: str, key: str, reason: str) -> None:
        if self.truth(section, key):
            field = self.field(section, key)
            raise ModelError(f"{field.where}: {field.name} must be False, not True: {reason}")

    def name(self, section: str, key: str) -> str:
        """Return a text that can be a folder's name."""
        field = self.field(section, key)
        text = field.text
        if not text or text in (".", "..") or len(text) > 200 or set(text) & set("/\\\0"):
            raise ModelError(
                f"{field.where}: {field.name} must be the name of a folder, not {text!r}"
            )
        return text


def _keys(path: Path) -> dict[tuple[str, str], Field]:
    """Return every key's text by section and lower-case key."""
    keys: dict[tuple[str, str], Field] = {}
    section = ""
    for number, line in enumerate(read_text(path, "a .cfg file").splitlines(), 1):
        text = line.strip()
        if not text or text[0] in "#;":
            continue
        if text[0] == "[" and text[-1] == "]":
            section = text[1:-1]
            continue
        ends = [place for place in (text.find("="), text.find(":")) if place > 0]
        if not ends:
            raise ModelError(f"{path}:{number}: a line must be like KEY = VALUE, not {text[:40]!r}")
        key = text[: min(ends)].strip()
        if (section, key.lower()) in keys:
            raise ModelError(f"{path}:{number}: {key} must be given once, not twice")
        keys[section, key.lower()] = Field(f"{path}:{number}", key, text[min(ends) + 1 :].strip())
    return keys
