# SPDX-License-Identifier: Apache-2.0
"""Published data sets fetched from where they are offered; what arrives must have its checksum."""

from __future__ import annotations

import hashlib
import http.client
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tqdm import tqdm

from intaglio.errors import IntaglioError

#: Seconds without an answer, after which the next mirror is asked.
PATIENCE = 30.0
CHUNK = 1 << 20


@dataclass(frozen=True)
class Source:
    """A data set's files with their SHA-256, and the places that offer them all."""

    files: Mapping[str, str]
    mirrors: Sequence[str]


SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        "mnist": Source(
            {
                "train-images-idx3-ubyte.gz": (
                    "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
                ),
                "train-labels-idx1-ubyte.gz": (
                    "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
                ),
                "t10k-images-idx3-ubyte.gz": (
                    "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
                ),
                "t10k-labels-idx1-ubyte.gz": (
                    "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
                ),
            },
            (
                "https://ossci-datasets.s3.amazonaws.com/mnist/",
                "https://storage.googleapis.com/cvdf-datasets/mnist/",
            ),
        ),
        "fashion_mnist": Source(
            {
                "train-images-idx3-ubyte.gz": (
                    "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"
                ),
                "train-labels-idx1-ubyte.gz": (
                    "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"
                ),
                "t10k-images-idx3-ubyte.gz": (
                    "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"
                ),
                "t10k-labels-idx1-ubyte.gz": (
                    "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"
                ),
            },
            (
                "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            ),
        ),
        "cifar10": Source(
            {
                "cifar-10-python.tar.gz": (
                    "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
                )
            },
            (
                "https://www.cs.toronto.edu/~kriz/",
                "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
            ),
        ),
        "cifar100": Source(
            {
                "cifar-100-python.tar.gz": (
                    "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"
                )
            },
            (
                "https://www.cs.toronto.edu/~kriz/",
                "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
            ),
        ),
    }
)


def download(source: Source, folder: Path, *, progress: bool = True) -> None:
    """Fetch what is not in a folder yet, from the first mirror that has it; each file whole.

    Raises:
        IntaglioError: no mirror gives a file with its checksum, or the one there has another.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, sha256 in source.files.items():
        path = folder / name
        if path.exists():
            with path.open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
            if found != sha256:
                raise IntaglioError(
                    f"{path} must have the SHA-256 {sha256}, not {found}: move it away"
                )
            continue
        reasons = []
        for mirror in source.mirrors:
            reason = _fetch(mirror + name, path, sha256, progress)
            if reason is None:
                break
            reasons.append(f"{mirror}: {reason}")
        else:
            raise IntaglioError(f"{name} must be there at one of its mirrors; {'; '.join(reasons)}")


def _fetch(url: str, path: Path, sha256: str, progress: bool) -> str | None:
    """Fetch one file; return why it was not, if so."""
    if not url.startswith(("https://", "http://")):
        return "not an address of the web"
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    digest = hashlib.sha256()
    try:
        with os.fdopen(handle, "wb") as stream:
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310
                size = int(answer.headers.get("Content-Length") or 0) or None
                bar = tqdm(
                    total=size, desc=path.name, unit="B", unit_scale=True, disable=not progress
                )
                with bar:
                    while chunk := answer.read(CHUNK):
                        digest.update(chunk)
                        stream.write(chunk)
                        bar.update(len(chunk))
            stream.flush()
            os.fsync(stream.fileno())
        if digest.hexdigest() != sha256:
            return f"its SHA-256 is {digest.hexdigest()}, not {sha256}"
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
        return str(getattr(error, "reason", error)) or type(error).__name__
    finally:
        Path(name).unlink(missing_ok=True)
    return None
