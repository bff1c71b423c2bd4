# SPDX-License-Identifier: Apache-2.0
"""Results kept on disk as they come, each under a hash of all that it depends on.

What was stopped goes on: a result that is there is not computed again, and one of other data or
another network is never taken for it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from intaglio.artifact import canonical
from intaglio.errors import ArtifactError

_TABLE = "CREATE TABLE IF NOT EXISTS results (key TEXT PRIMARY KEY, document TEXT NOT NULL)"


class Ledger:
    """JSON documents by key."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, key: str) -> Any | None:
        """Return a document, None where there is none."""
        row = self._connection.execute(
            "SELECT document FROM results WHERE key = ?", (key,)
        ).fetchone()
        return None if row is None else json.loads(row[0])

    def put(self, key: str, document: Any) -> None:
        """Keep a document, safe on disk when this returns."""
        with self._connection:
            self._connection.execute(
                "INSERT OR REPLACE INTO results VALUES (?, ?)", (key, canonical(document))
            )


@contextmanager
def ledger(path: Path | None) -> Iterator[Ledger]:
    """Open a ledger, made where there is none; without a path it is kept in memory.

    Raises:
        ArtifactError: the file is no ledger, or another process writes to it.
    """
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        connection = sqlite3.connect(":memory:" if path is None else path, timeout=10)
    except sqlite3.Error as error:
        raise ArtifactError(f"{path} must be a ledger that can be opened: {error}") from None
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(_TABLE)
        yield Ledger(connection)
    except sqlite3.Error as error:
        raise ArtifactError(f"{path} must be a ledger that can be written: {error}") from None
    finally:
        connection.close()
