# SPDX-License-Identifier: Apache-2.0
"""What every operator must hold to: its answers to the questions of an operator file agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from intaglio.errors import VerificationError
from intaglio.hw.unit import StreamOperator
from intaglio.ir.operator import Operator
from intaglio.testing.example import Example
from intaglio.testing.hardware import check_unit
from intaglio.testing.meaning import check_loops, check_lowering, check_meaning, check_text


def check_operator(
    example: Example, folder: Path, *, folds: int = 3, runtime: Path | None = None
) -> None:
    """Check an operator on one example of its operands.

    The type rule contains every result; the result depends on the numbers alone; the loop nest
    covers the result; the text form round-trips; a lowering means the same. For an operator with
    hardware, under several folds: the RTL gives the very bits at the very cycles foretold.

    Args:
        example: the operator and its operands.
        folder: where designs are built; made if absent.
        folds: how many of its folds are simulated, the smallest and the largest among them.
        runtime: where to keep Verilator's own compiled parts for other checks too.

    Raises:
        VerificationError: something does not hold; the text says what.
        MissingToolError: hardware cannot be simulated here.
    """
    check_meaning(example)
    check_loops(example)
    check_text(example)
    check_lowering(example)
    if isinstance(example.op, StreamOperator):
        check_unit(example, folder, folds=folds, runtime=runtime)


def check_operators(
    operators: Mapping[str, type[Operator]],
    examples: Iterable[Example],
    folder: Path,
    *,
    runtime: Path | None = None,
) -> None:
    """Check operators on their examples; every operator must have one.

    Raises:
        VerificationError: an operator has no example, or something does not hold.
        MissingToolError: hardware cannot be simulated here.
    """
    given = list(examples)
    if missing := sorted(operators.keys() - {example.op.name for example in given}):
        raise VerificationError(f"every operator must have an example; {missing[0]!r} has none")
    for index, example in enumerate(given):
        check_operator(example, folder / str(index), runtime=runtime)
