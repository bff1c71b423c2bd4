# SPDX-License-Identifier: Apache-2.0
"""The normative text names code and proofs; both must exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.findall(r"`([\w/]+\.py)(?:::(\w+))?`", (ROOT / "docs/spec/numerics.md").read_text())


def test_every_module_that_is_named_exists() -> None:
    modules = [path for path, function in NAMED if not function]
    assert len(modules) > 15
    assert [path for path in modules if not (ROOT / "src/intaglio" / path).is_file()] == []


def test_every_proof_that_is_named_exists() -> None:
    proofs = [(path, function) for path, function in NAMED if function]
    assert len(proofs) > 25
    for path, function in proofs:
        tree = ast.parse((ROOT / "tests" / path).read_text())
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
