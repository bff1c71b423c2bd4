# SPDX-License-Identifier: Apache-2.0
"""A chain of stages that resumes: each is recorded with what it was made from.

The package's own files count too: figures that older code made are never shown as today's.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from intaglio.artifact import canonical, write_json

RECORD = "stages.json"


@dataclass(frozen=True)
class Stages:
    """The record of a folder's stages."""

    folder: Path

    def run(
        self,
        name: str,
        inputs: Sequence[Any],
        outputs: Sequence[Path],
        work: Callable[[], dict[str, Any]],
    ) -> dict[str, Any]:
        """Do a stage, unless it is done: same code and inputs, outputs present.

        Args:
            name: of the stage.
            inputs: JSON values that say what it depends on.
            outputs: files or folders it leaves.
            work: does it and returns its figures as JSON types.

        Returns:
            The figures, with `seconds` added: what the stage took when it ran.
        """
        key = hashlib.sha256(canonical([_code(), name, *inputs]).encode()).hexdigest()
        record = self._read()
        done = record.get(name)
        if done and done["key"] == key and all(path.exists() for path in outputs):
            return dict(done["result"])
        started = time.perf_counter()
        result = {**work(), "seconds": 0.0}
        result["seconds"] = round(time.perf_counter() - started, 3)
        record = self._read()
        record[name] = {"key": key, "result": result}
        write_json(self.folder / RECORD, record)
        return result

    def _read(self) -> dict[str, Any]:
        """Return the record; a damaged one counts as none, and the stages are done again."""
        try:
            record = json.loads((self.folder / RECORD).read_text())
        except (OSError, ValueError):
            return {}
        entries = record.items() if isinstance(record, dict) else ()
        return {name: entry for name, entry in entries if _whole(entry)}


def _whole(entry: Any) -> bool:
    return isinstance(entry, dict) and "key" in entry and isinstance(entry.get("result"), dict)


@cache
def _code() -> str:
    """Hash the files of this package."""
    root = Path(str(resources.files("intaglio")))
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(f"{path.relative_to(root)}\n".encode() + path.read_bytes())
    return digest.hexdigest()
