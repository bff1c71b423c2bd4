# SPDX-License-Identifier: Apache-2.0
"""Functions of one number as tables, from the codes of the operand to the codes of the result.

Whatever is done to a value element by element behind a function, other functions and rectifiers,
goes into the same table: the result is rounded once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from intaglio.errors import QuantizationError
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Node
from intaglio.numerics.rounding import round_half_up
from intaglio.numerics.types import IntType
from intaglio.ops.clip import Clip
from intaglio.ops.function import Function
from intaglio.ops.lookup import MAX_WIDTH, Lookup
from intaglio.ops.relu import Relu
from intaglio.ops.requantize import Requantize
from intaglio.quantize.build import Build
from intaglio.quantize.quantizer import Coding


@dataclass(frozen=True, eq=False)
class Table:
    """Codes of a function's values, one for each operand.

    `error` is the largest distance from the real values in steps of the result: at most 1/2, and
    more where values saturate.
    """

    codes: np.ndarray
    error: float


def sampled(
    function: Callable[[np.ndarray], np.ndarray], reals: np.ndarray, target: Coding
) -> Table:
    """Tabulate a function at rising real numbers.

    Exactness: half up, then saturated. Where the function has no value the entry is that of the
    nearest number below that has one, or else above.

    Raises:
        QuantizationError: it has no value at any of the numbers.
    """
    values = function(reals.astype(np.float64))
    known = ~np.isnan(values)
    if not known.any():
        raise QuantizationError(
            f"a function must have a value somewhere in {reals[0]:.4g}..{reals[-1]:.4g}; "
            "it has none: give calibration data that it can be computed of"
        )
    nearest = np.maximum.accumulate(np.where(known, np.arange(len(values)), -1))
    values = values[np.where(nearest < 0, known.argmax(), nearest)]
    steps = values / target.scale
    low, high = target.element.min - target.zero_point, target.element.max - target.zero_point
    found = round_half_up(np.clip(steps, low, high))
    return Table((found + target.zero_point).astype(np.int64), float(np.abs(found - steps).max()))


def tabulate(build: Build, node: Node, _op: Function) -> None:
    """Add the lookup of a function and of all that is done element by element behind it."""
    chain = _chain(build, node)
    last = chain[-1]
    index, reals = _index(build, node)
    coding = build.coding(last.name)
    try:
        table = sampled(lambda x: _composed(build, chain, x), reals, coding)
    except QuantizationError as error:
        raise QuantizationError(f"{node}: {error}") from None
    constant = Constant(table.codes, coding.element)
    op = Lookup(build.types[index].integer.min)
    build.emit(
        Node(last.name, op, (index, build.constant(f"{last.name}.table", constant)), last.origin)
    )
    build.settle(last.name, coding)
    build.done.update(n.name for n in chain)


def _chain(build: Build, node: Node) -> list[Node]:
    """Follow the functions and rectifiers that alone read this node's value."""
    chain = [node]
    while chain[-1].name not in build.graph.outputs:
        readers = build.graph.consumers.get(chain[-1].name, ())
        if len(readers) != 1 or not isinstance(readers[0].op, Function | Relu | Clip):
            break
        chain.append(readers[0])
    return chain


def _composed(build: Build, chain: Sequence[Node], x: np.ndarray) -> np.ndarray:
    function = build.quantizer_of(chain[-1].name).function
    for node in chain:
        op = function(node.op) if isinstance(node.op, Function) else node.op
        x = op.evaluate(x)
    return x


def _index(build: Build, node: Node) -> tuple[str, np.ndarray]:
    """Return what addresses the table, and the real numbers its codes stand for, lowest first.

    Of a value wider than a table takes, the upper bits do, rounded.
    """
    (source,) = node.inputs
    element, meaning = build.types[source].integer, build.codings[source].quantization
    excess = element.width - MAX_WIDTH
    if excess <= 0:
        return source, meaning.dequantize(np.arange(element.min, element.max + 1))
    name = f"{node.name}.index"
    one = build.constant(f"{name}.multiplier", Constant.integers(np.ones(1, dtype=np.int64)))
    upper = IntType(MAX_WIDTH, element.signed)
    build.emit(Node(name, Requantize(excess, 0, upper), (source, one)))
    return name, meaning.dequantize(np.arange(upper.min, upper.max + 1) << excess)
