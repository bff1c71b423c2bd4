# SPDX-License-Identifier: Apache-2.0
"""Write what the package knows into the README, between its marks, from the registries.

.venv/bin/python scripts/contents.py
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from intaglio.devices import device, devices
from intaglio.frontend.aten import OPERATORS as ATEN
from intaglio.frontend.onnx.operators import OPERATORS as ONNX
from intaglio.hw.unit import StreamOperator
from intaglio.ir.operator import Operator
from intaglio.ops import BUILT_IN
from intaglio.tools.families import toolchain

README = Path(__file__).resolve().parents[1] / "README.md"
BEGIN, END = "<!-- what there is, by scripts/contents.py -->", "<!-- end of what there is -->"


def main() -> int:
    before, rest = README.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    README.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}", encoding="utf-8")
    return 0


def table() -> str:
    """Print the registries as Markdown."""
    units = [op for op in BUILT_IN if issubclass(op, StreamOperator)]
    lowered = [op for op in BUILT_IN if op not in units and op.lower is not Operator.lower]
    others = [op for op in BUILT_IN if op not in units and op not in lowered]
    placed = {name: toolchain(device(name).family).placer is not None for name in devices()}
    rows = {
        "ONNX operators that are read": (name for _, name in ONNX),
        "operators of torch.export that are read": (
            name.removeprefix("aten.") for name in ATEN if re.match(r"aten\.[a-z]", name)
        ),
        "operators with a unit of hardware": (op.name for op in units),
        "made of those": (op.name for op in lowered),
        "in float graphs alone; quantization puts others in their place": (
            op.name for op in others
        ),
        "devices, to a bitstream": (name for name, done in placed.items() if done),
        "devices, to a project for Vivado": (name for name, done in placed.items() if not done),
    }
    return "\n".join(
        ["| | |", "|---|---|", *(f"| {name} | {words(r)} |" for name, r in rows.items())]
    )


def words(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names), key=str.casefold))


if __name__ == "__main__":
    sys.exit(main())
