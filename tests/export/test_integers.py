# SPDX-License-Identifier: Apache-2.0
"""Formats that hold a program's integers: what is read back is the program, on random networks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given

from intaglio import export
from intaglio.errors import ArtifactError, ModelError, VerificationError
from intaglio.export import exporters, npz, text
from intaglio.export import hex as words
from intaglio.export.document import reads_back, same
from intaglio.export.place import place
from intaglio.ir.graph import Node
from intaglio.ir.text import to_text
from intaglio.ops.relu import Relu
from tests.programs import convolutional, program, small
from tests.strategies import Network, networks

FORMATS = pytest.mark.parametrize("module", [npz, words, text], ids=lambda module: module.NAME)


@FORMATS
@given(network=networks())
def test_what_is_read_back_is_the_program(module: ModuleType, network: Network) -> None:
    found = module.parse(module.write(network.program))
    same(network.program, found)
    assert to_text(found) == to_text(network.program)


@FORMATS
def test_files_on_disk_are_read_back(module: ModuleType, tmp_path: Path) -> None:
    exported = export(convolutional(), tmp_path / "out" / "net", module.NAME)
    assert all(path.is_file() for path in exported.files)
    assert exported.format == module.NAME
    assert to_text(module.read(tmp_path / "out" / "net")) == to_text(convolutional())
    again = export(small(), tmp_path / "out" / "net", module.NAME)
    assert to_text(module.read(tmp_path / "out" / "net")) == to_text(small())
    assert sorted(p for p in (tmp_path / "out").rglob("*") if p.is_file()) == sorted(again.files)


def test_a_word_has_all_digits_of_its_type(tmp_path: Path) -> None:
    export(convolutional(), tmp_path / "net", "hex")
    constant = convolutional().graph.constants["w"].data.ravel()
    lines = (tmp_path / "net" / "w.hex").read_text().splitlines()
    assert lines == [f"{number & 255:02x}" for number in constant.tolist()]
    assert len((tmp_path / "net" / "b.hex").read_text().splitlines()[0]) == 3


def test_a_layer_is_complete_in_its_text(tmp_path: Path) -> None:
    export(convolutional(), tmp_path / "net", "text")
    said = (tmp_path / "net" / "dense.txt").read_text()
    assert "..." not in said
    weight = convolutional().graph.constants["v"].data
    assert " ".join(map(str, weight[-1].tolist())) in said.splitlines()
    scaled = (tmp_path / "net" / "scaled.txt").read_text().splitlines()
    assert "shift 20" in scaled
    assert "zero_point 3" in scaled


def test_names_that_no_file_can_have_are_told_apart(tmp_path: Path) -> None:
    names = ("a/b", "a:b", "A_b", "é", "..")
    nodes = [Node(n, Relu(), (m,)) for n, m in zip(names, ("x", *names), strict=False)]
    export(program((2, 2, 1), nodes), tmp_path / "net", "text")
    assert sorted(path.name for path in (tmp_path / "net").iterdir()) == [
        "A_b~3.txt",
        "_.txt",
        "_~2.txt",
        "a_b.txt",
        "a_b~2.txt",
        "index.json",
    ]


Damage = Callable[[dict[str, bytes]], None]


def _no_json(files: dict[str, bytes]) -> None:
    files["index.json"] = b"{"


def _other_format(files: dict[str, bytes]) -> None:
    files["index.json"] = files["index.json"].replace(b'"hex"', b'"text"')


def _no_file(files: dict[str, bytes]) -> None:
    del files["w.hex"]


def _no_word(files: dict[str, bytes]) -> None:
    files["w.hex"] = b"xx\n" + files["w.hex"]


def _wide_word(files: dict[str, bytes]) -> None:
    files["w.hex"] = b"123\n" + files["w.hex"][3:]


def _other_word(files: dict[str, bytes]) -> None:
    files["w.hex"] = (b"00" if files["w.hex"][:2] != b"00" else b"01") + files["w.hex"][2:]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_no_json, "an export must have a document that says its format"),
        (_other_format, "the export must be of format hex, not text"),
        (_no_file, r"the folder must hold w\.hex, which its index names"),
        (_no_word, "every line must be a word in hexadecimal digits"),
        (_wide_word, "every word must have 8 bits"),
        (_other_word, "constant 'w' must match its checksum; it was changed"),
    ],
)
def test_damage_is_found(damage: Damage, said: str) -> None:
    files = dict(words.write(convolutional()))
    damage(files)
    with pytest.raises(ArtifactError, match=said):
        words.parse(files)


def test_what_differs_is_named() -> None:
    with pytest.raises(VerificationError, match="read back must be 'input x"):
        same(convolutional(), small())


def test_nothing_else_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious").write_text("1")
    with pytest.raises(ArtifactError, match="must be empty or hold an export; it holds other"):
        export(small(), tmp_path / "full", "hex")
    with pytest.raises(ArtifactError, match="must be a folder for hex, not a file"):
        export(small(), tmp_path / "full" / "precious", "hex")
    (tmp_path / "net.npz").mkdir()
    with pytest.raises(ArtifactError, match="must be a file for npz, not a folder"):
        export(small(), tmp_path / "net", "npz")
    assert (tmp_path / "full" / "precious").read_text() == "1"


def test_a_format_must_be_known() -> None:
    with pytest.raises(ModelError, match="a format must be one of npz, hex, text"):
        export(small(), "nowhere", "csv")


def test_nothing_is_left_where_the_check_fails(tmp_path: Path) -> None:
    wrong = replace(words.HEX, check=reads_back(lambda _: convolutional()))
    with pytest.raises(VerificationError):
        place(wrong, small(), tmp_path / "net")
    assert list(tmp_path.iterdir()) == []


def test_every_format_says_what_it_is() -> None:
    assert all(exporter.name == name and exporter.says for name, exporter in exporters().items())


def test_the_index_says_what_every_integer_is(tmp_path: Path) -> None:
    export(convolutional(), tmp_path / "net", "npz")
    document = json.loads((tmp_path / "net.json").read_text())
    with np.load(tmp_path / "net.npz") as archive:
        for entry in document["constants"]:
            assert list(archive[entry["array"]].shape) == entry["shape"]
    assert document["inputs"] == [
        {"name": "x", "shape": [8, 8, 2], "type": "u8", "scale": [1.0], "zero_point": 0}
    ]
