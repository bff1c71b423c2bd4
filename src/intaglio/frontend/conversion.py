# SPDX-License-Identifier: Apache-2.0
"""The conversion report: what became of every node of a foreign model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from intaglio.errors import ModelError


class Fate(Enum):
    """What became of a foreign node."""

    KEPT = "kept"
    FOLDED = "folded"
    UNUSED = "unused"
    UNSUPPORTED = "unsupported"
    UNJUDGED = "unjudged"


@dataclass(frozen=True)
class Row:
    """One foreign node. Shapes are frames in the source's order, without the batch axis.

    `became` names the value of the graph that holds the node's result. `macs` are those of one
    frame; `parameters` counts the float numbers the node brings.
    """

    name: str
    op: str
    fate: Fate
    became: str = ""
    why: str = ""
    rewrite: str = ""
    input_shape: tuple[int, ...] | None = None
    output_shape: tuple[int, ...] | None = None
    macs: int = 0
    parameters: int = 0

    @property
    def supported(self) -> bool:
        """Whether the node could be converted."""
        return self.fate not in (Fate.UNSUPPORTED, Fate.UNJUDGED)


@dataclass(frozen=True)
class Conversion:
    """The report on a whole model, in the order of its nodes."""

    source: str
    rows: tuple[Row, ...]
    problems: tuple[str, ...] = ()

    @property
    def supported(self) -> bool:
        """Whether the whole model can be converted."""
        return not self.problems and all(row.supported for row in self.rows)

    @property
    def unsupported(self) -> tuple[Row, ...]:
        """The nodes that stand in the way."""
        return tuple(row for row in self.rows if row.fate is Fate.UNSUPPORTED)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one frame."""
        return sum(row.macs for row in self.rows)

    @property
    def parameters(self) -> int:
        """Float numbers of the source model."""
        return sum(row.parameters for row in self.rows)

    def refusal(self) -> ModelError:
        """Return the error that names the first obstacle and how many more there are."""
        texts = [f"{row.op} {row.name!r}: {row.why}{_advice(row)}" for row in self.unsupported]
        texts += self.problems
        texts = texts or [f"{row.op} {row.name!r}: {row.why}" for row in self.rows if row.why]
        more = f"; and {len(texts) - 1} more, see: intaglio inspect" if len(texts) > 1 else ""
        return ModelError(f"{self.source}: {texts[0]}{more}")

    def __str__(self) -> str:
        header = ("node", "op", "supported", "became", "input", "output", "MACs", "parameters")
        table = [header, *(_cells(row) for row in self.rows)]
        total = f"{self.macs:,}", f"{self.parameters:,}"
        table.append((f"{len(self.rows)} nodes", "", "", "", "", "", *total))
        lines = list(_aligned(table))
        lines.insert(1, "-" * len(lines[0]))
        told = [row for row in self.rows if row.why and row.fate is not Fate.UNJUDGED]
        remarks = [f"{row.op} {row.name!r}: {row.why}{_advice(row)}" for row in told]
        verdict = f"unsupported nodes: {len(self.unsupported)}"
        if self.supported:
            verdict = "every node is supported"
        return "\n".join([self.source, *lines, *remarks, *self.problems, verdict])

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON types."""
        rows = [
            {**asdict(row), "fate": row.fate.value, "supported": row.supported} for row in self.rows
        ]
        return {
            "source": self.source,
            "supported": self.supported,
            "macs": self.macs,
            "parameters": self.parameters,
            "problems": list(self.problems),
            "nodes": rows,
        }


def _advice(row: Row) -> str:
    return f" (nearest: {row.rewrite})" if row.rewrite else ""


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        row.op,
        {Fate.UNSUPPORTED: "NO", Fate.UNJUDGED: "?"}.get(row.fate, "yes"),
        f"{row.fate.value}: {row.became}" if row.became else row.fate.value,
        _shape(row.input_shape),
        _shape(row.output_shape) or ("" if row.supported else "?"),
        f"{row.macs:,}" if row.macs else "",
        f"{row.parameters:,}" if row.parameters else "",
    )


def _shape(shape: tuple[int, ...] | None) -> str:
    return "" if shape is None else "x".join(map(str, shape)) or "1"


def _aligned(table: list[tuple[str, ...]]) -> Iterable[str]:
    widths = [max(len(cells[column]) for cells in table) for column in range(len(table[0]))]
    for cells in table:
        left = [cell.ljust(width) for cell, width in zip(cells[:-2], widths, strict=False)]
        right = [cell.rjust(width) for cell, width in zip(cells[-2:], widths[-2:], strict=True)]
        yield "  ".join([*left, *right]).rstrip()
