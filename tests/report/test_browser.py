# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser: what it shows, and that it asks nothing of any network.

The browser's only way out is a proxy that is not there, and its log says who wanted to go.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from intaglio.report.report import report
from tests.report.pages import Page, everything, graph, program
from tests.report.test_report import TITLES

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--window-size=1280,4000",
    "--proxy-server=http://127.0.0.1:9",
    "--proxy-bypass-list=<-loopback>",
)
#: A name that would load a picture, run a script and change the title.
HOSTILE = (
    "<img src=http://probe.test/a onerror='document.title=1'><script>document.title=2</script>"
)


@dataclass(frozen=True)
class Shown:
    """What a browser made of a page."""

    page: Page
    requests: frozenset[str]
    pixels: np.ndarray


def browse(html: str, folder: Path) -> Shown:
    """Open a page in a new browser."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.fail(f"a browser must be installed to test the report: one of {', '.join(NAMES)}")
    (folder / "page.html").write_text(html, encoding="utf-8")
    own = (
        f"--user-data-dir={folder / 'profile'}",
        f"--log-net-log={folder / 'net.json'}",
        f"--screenshot={folder / 'page.png'}",
        "--dump-dom",
    )
    command = [program, *FLAGS, *own, (folder / "page.html").as_uri()]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    with Image.open(folder / "page.png") as image:
        pixels = np.asarray(image.convert("RGB"))
    return Shown(Page(done.stdout.decode()), _requests(folder / "net.json"), pixels)


def _requests(log: Path) -> frozenset[str]:
    """Return what the page itself asked for; the browser's own requests have no origin."""
    document = json.loads(log.read_text(encoding="utf-8"))
    start = document["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
    asked = [e["params"] for e in document["events"] if e["type"] == start and "params" in e]
    return frozenset(p["url"] for p in asked if p.get("initiator", "not an origin") == "null")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    html = report(graph(HOSTILE), program(HOSTILE), **everything(HOSTILE)).html
    return browse(html, tmp_path_factory.mktemp("browser"))


def test_the_browser_shows_every_section(shown: Shown) -> None:
    assert shown.page.texts["h1"] == [f"net{HOSTILE}"]
    assert shown.page.texts["h2"] == list(TITLES)
    assert len(shown.page.named("svg")) == 12
    assert len(shown.page.named("img")) == 10


def test_the_browser_runs_nothing_of_a_hostile_name(shown: Shown) -> None:
    assert shown.page.texts["title"][0] == f"net{HOSTILE} on ecp5-85f"
    assert not shown.page.named("script")


def test_the_page_asks_nothing_of_the_network(shown: Shown) -> None:
    assert shown.requests == frozenset()


def test_the_page_is_painted(shown: Shown) -> None:
    assert shown.pixels.shape == (4000, 1280, 3)
    colors = {tuple(color) for color in shown.pixels[::3, ::3].reshape(-1, 3).tolist()}
    assert (255, 255, 255) in colors  # paper
    assert (11, 110, 117) in colors  # bars and histograms


def test_a_page_that_does_ask_is_caught(tmp_path: Path) -> None:
    html = "<!DOCTYPE html><html><body><img src=http://probe.test/a></body></html>"
    assert browse(html, tmp_path).requests == {"http://probe.test/a"}
