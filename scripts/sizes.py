# SPDX-License-Identifier: Apache-2.0
"""Print how many lines there are, and fail where a module or a function is too long to be read.

A function's docstring does not count: what a function promises may take the words it needs.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

MODULE_LINES = 500
FUNCTION_LINES = 60
FOLDERS = ("src", "tests", "scripts", "benchmarks", "examples")
KINDS = ("*.py", "*.sv", "*.cpp", "*.h")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def main() -> int:
    root = Path(__file__).resolve().parents[1]
    problems: list[str] = []
    for folder in FOLDERS:
        files = sorted(path for kind in KINDS for path in (root / folder).rglob(kind))
        lines = 0
        for path in files:
            text = path.read_text(encoding="utf-8")
            lines += len(text.splitlines())
            problems += too_long(path.relative_to(root), text)
        print(f"{folder:<10} {len(files):>4} files {lines:>7,} lines")
    for problem in problems:
        print(problem, file=sys.stderr)
    return bool(problems)


def too_long(path: Path, text: str) -> Iterator[str]:
    lines = len(text.splitlines())
    if lines > MODULE_LINES:
        yield f"{path}: a module must have at most {MODULE_LINES} lines, not {lines}"
    if path.suffix != ".py":
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, Function):
            length = lines_of(node) - (lines_of(node.body[0]) if ast.get_docstring(node) else 0)
            if length > FUNCTION_LINES:
                yield (
                    f"{path}:{node.lineno}: {node.name} must have at most {FUNCTION_LINES} lines, "
                    f"not {length}"
                )


def lines_of(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


if __name__ == "__main__":
    sys.exit(main())
