# SPDX-License-Identifier: Apache-2.0
"""Downloads from a server on this machine: checksums, mirrors, what is there already."""

from __future__ import annotations

import hashlib
import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from intaglio.errors import IntaglioError
from intaglio.train.data.download import SOURCES, Source, download

CONTENT = bytes(range(256)) * 5000


class Server(http.server.ThreadingHTTPServer):
    """Serves good files under /good/, damaged ones under /damaged/, halves under /half/."""

    asked: list[str]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        self.server.asked.append(self.path)
        kind = self.path.split("/")[1]
        if kind not in {"good", "damaged", "half"}:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        body = {"good": CONTENT, "damaged": CONTENT[::-1], "half": CONTENT[: len(CONTENT) // 2]}
        self.wfile.write(body[kind])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server(("127.0.0.1", 0), Handler)
    running.asked = []
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


def source(server: Server, *kinds: str) -> Source:
    base = f"http://127.0.0.1:{server.server_port}"
    files = {name: hashlib.sha256(CONTENT).hexdigest() for name in ("a.bin", "b.bin")}
    return Source(files, [f"{base}/{kind}/" for kind in kinds])


def fetch(source: Source, folder: Path) -> None:
    download(source, folder, progress=False)


def test_files_are_fetched_once(server: Server, tmp_path: Path) -> None:
    wanted = source(server, "good")
    fetch(wanted, tmp_path / "new")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a.bin", "b.bin"]
    assert (tmp_path / "new" / "a.bin").read_bytes() == CONTENT
    fetch(wanted, tmp_path / "new")
    assert server.asked == ["/good/a.bin", "/good/b.bin"]


@pytest.mark.parametrize("bad", ["damaged", "half", "absent"])
def test_the_next_mirror_is_asked_where_one_fails(server: Server, tmp_path: Path, bad: str) -> None:
    fetch(source(server, bad, "good"), tmp_path)
    assert (tmp_path / "b.bin").read_bytes() == CONTENT
    assert server.asked[:2] == [f"/{bad}/a.bin", "/good/a.bin"]


def test_where_all_fail_the_error_says_why_and_nothing_is_left(
    server: Server, tmp_path: Path
) -> None:
    text = "^a.bin must be there at one of its mirrors; .*/damaged/: its SHA-256 is .*/absent/: Not"
    with pytest.raises(IntaglioError, match=text):
        fetch(source(server, "damaged", "absent"), tmp_path)
    assert not list(tmp_path.iterdir())


def test_only_the_web_is_asked_and_a_server_that_is_gone_is_said(tmp_path: Path) -> None:
    for mirror, reason in (
        ("file:///etc/", "not an address of the web"),
        ("http://127.0.0.1:1/", r"\[Errno"),
    ):
        with pytest.raises(IntaglioError, match=f"mirrors; {mirror}: {reason}"):
            fetch(Source({"a": "0" * 64}, [mirror]), tmp_path)


def test_another_file_of_that_name_is_not_overwritten(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"mine")
    path = re.escape(str(tmp_path / "a.bin"))
    with pytest.raises(IntaglioError, match=f"^{path} must have the SHA-256 .*: move it away$"):
        fetch(source(server, "good"), tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == b"mine"


def test_every_source_has_checksums_and_mirrors_on_the_web() -> None:
    assert set(SOURCES) == {"mnist", "fashion_mnist", "cifar10", "cifar100"}
    for one in SOURCES.values():
        assert all(re.fullmatch(r"[0-9a-f]{64}", sha256) for sha256 in one.files.values())
        assert len(one.mirrors) >= 2
        assert all(re.match(r"https?://.*/$", mirror) for mirror in one.mirrors)
