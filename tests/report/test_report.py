# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from intaglio.errors import QuantizationError
from intaglio.report.report import report
from tests.report.pages import IMAGES, LABELS, Page, design, everything, graph, program

HOSTILE = "</code><script>alert(1)</script><img src=x onerror=alert(1)>\"'&amp;$x_1^{$"
TITLES = {
    "Float against integers": "evaluation",
    "Network": "",
    "Layer by layer": "",
    "Values and ranges": "images",
    "Pipeline occupancy": "design",
    "Layer timeline": "design",
    "Roofline": "design",
    "Predicted, simulated, placed": "run",
    "Device utilization": "design",
    "Device floor": "synthesis",
    "Speed against size": "front",
    "Provenance": "",
    "Make it again": "commands",
}


#: Makes the page; matplotlib must come late, and pyplot with its global state not at all.
PROGRAM = """
import sys
from intaglio.report.report import report
from tests.report.pages import everything, graph, program
assert "matplotlib" not in sys.modules
report(graph(), program(), **everything()).save(sys.argv[1])
assert "matplotlib" in sys.modules and "matplotlib.pyplot" not in sys.modules
"""


@pytest.fixture(scope="module")
def whole() -> str:
    return report(graph(), program(), **everything()).html


def titles(**known: Any) -> list[str]:
    return Page(report(graph(), program(), **known).html).texts["h2"]


def test_every_section_is_there_when_its_data_is_given(whole: str) -> None:
    page = Page(whole)
    assert page.texts["h2"] == page.texts["a"] == list(TITLES)


def test_what_must_be_known_of_the_results_is_said() -> None:
    made = report(graph(), replace(program(), notes=(f"mind {HOSTILE}",)))
    assert f"mind {HOSTILE}" in Page(made.html).texts["p"]
    assert made.text.endswith(f"\nmind {HOSTILE}")


def test_a_section_without_data_is_left_out() -> None:
    assert titles() == ["Network", "Layer by layer", "Provenance"]
    for title, key in TITLES.items():
        if key not in ("", "images", "front", "synthesis"):
            found = titles(**{key: everything()[key]})
            assert title in found, key
            assert len(found) == 3 + list(TITLES.values()).count(key)
    known = everything()
    assert "Speed against size" in titles(design=known["design"], front=known["front"])
    assert "Speed against size" not in titles(front=known["front"])
    placed = titles(synthesis=everything()["synthesis"])
    assert placed[2:4] == ["Predicted, simulated, placed", "Device floor"]
    assert len(placed) == 5


def test_images_alone_are_evaluated() -> None:
    found = report(graph(), program(), images=IMAGES, labels=LABELS)
    page = Page(found.html)
    assert page.texts["h2"][0] == "Float against integers"
    assert "Values and ranges" in page.texts["h2"]
    given = report(graph(), program(), images=IMAGES, evaluation=everything()["evaluation"])
    assert found.html == given.html


def test_labels_must_fit_the_images() -> None:
    with pytest.raises(QuantizationError, match="labels must be one integer for each of 40"):
        report(graph(), program(), images=IMAGES, labels=LABELS[1:])


def test_all_tags_are_balanced_and_all_names_unique(whole: str) -> None:
    page = Page(whole)
    names = [found["id"] for _, found in page.elements if "id" in found]
    assert len(names) == len(set(names))
    targets = {str(a["href"])[1:] for a in page.named("a")}
    assert targets <= set(names)
    labels = {str(found["aria-labelledby"]) for found in page.named("section")}
    assert labels <= set(names)
    assert all(image["alt"] for image in page.named("img"))


def test_the_page_refers_to_nothing_outside(whole: str) -> None:
    assert not re.search("https?://", whole)
    assert not re.search(r"@import|url\((?!#)", whole)
    page = Page(whole)
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.elements}
    for tag, attributes in page.elements:
        for key in ("src", "href"):
            if key in attributes:
                assert str(attributes[key]).startswith(("#", "data:image/png;base64,")), tag
    assert len(whole) < 2_000_000


def test_names_from_a_model_stay_text() -> None:
    found = report(graph(HOSTILE), program(HOSTILE), **everything(HOSTILE))
    page = Page(found.html)
    plain = Page(report(graph(), program(), **everything()).html)
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in plain.elements]
    assert page.texts["h1"] == [f"net{HOSTILE}"]
    assert page.row(f"act{HOSTILE}")[1] == "u8[6,6,6]"
    assert f"a{HOSTILE} to b{HOSTILE}" in page.texts["code"]
    assert f"echo {HOSTILE}" in "".join(page.texts["code"])


def test_the_head_has_the_key_figures(whole: str) -> None:
    page, made = Page(whole), design()
    cells = made.resources
    figures = dict(zip(page.texts["dt"], page.texts["dd"], strict=True))
    assert figures == {
        "Float accuracy": f"{100 * everything()['evaluation'].float_accuracy:.2f} %",
        "Integer accuracy": f"{100 * everything()['evaluation'].integer_accuracy:.2f} %",
        "Images simulated": "16",
        "Latency, cycles": f"{made.cycles.latency:,}",
        "Interval, cycles": f"{made.cycles.interval:,}",
        "Frames per second": f"{123.45e6 / made.cycles.interval:,.0f}",
        "Clock, MHz": "123.5",
        "LUT": f"{cells.lut + 20:,}",
        "DSP": str(cells.dsp),
        "Block RAM": str(cells.bram),
    }
    assert "0 bits, 0 cycles different" in page.texts["small"]
    assert page.texts["title"][0] == "net on ecp5-85f"


def test_provenance_has_versions_hashes_and_seeds(whole: str) -> None:
    page = Page(whole)
    rows = {row[0]: row[1] for row in page.rows[[r[0] for r in page.rows].index("Origin") :]}
    assert rows["yosys"] == "0.70"
    assert rows["placer's seed"] == "7"
    assert rows["bundle sha256"] == "9" * 64
    assert rows["seeds training"] == "3"
    for name in ("graph sha256", "program sha256", "bitstream sha256"):
        assert re.fullmatch("[0-9a-f]{64}", rows[name])


def test_lists_of_origins_stand_in_a_row() -> None:
    found = report(graph(), program(), provenance={"a": {"b": [1, 2]}, "c": None})
    assert Page(found.html).row("a b")[1] == "1, 2"


def test_the_commands_stand_as_they_are_typed(whole: str) -> None:
    text = "".join(Page(whole).texts["code"])
    assert "\n".join(everything()["commands"]) in text


def test_two_saves_give_identical_bytes(tmp_path: Path) -> None:
    for name in ("a.html", "b.html"):
        report(graph(), program(), **everything()).save(tmp_path / name)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"a.html", "b.html"}


def test_another_process_and_hour_give_the_same_bytes(tmp_path: Path, whole: str) -> None:
    root = Path(__file__).parents[2]
    environment = os.environ | {"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "5", "LC_ALL": "C"}
    subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, str(tmp_path / "a.html")],
        check=True,
        cwd=root,
        env=environment,
    )
    assert (tmp_path / "a.html").read_text(encoding="utf-8") == whole


def test_the_text_is_short() -> None:
    found = report(graph(), program(), **everything())
    lines = str(found).splitlines()
    assert lines[0] == "net on ecp5-85f"
    assert re.fullmatch(r"  DSP +\d+ \(of 156, placed\)", lines[-2])
    assert len(lines) == 11
    assert str(report(graph(), program())) == "net"
