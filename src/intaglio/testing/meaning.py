# SPDX-License-Identifier: Apache-2.0
"""Checks of an operator that need no hardware: type rule, meaning, loops, text, lowering."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

import numpy as np

from intaglio.errors import ModelError, VerificationError
from intaglio.ir.loops import Index, LoopNest
from intaglio.ir.text import from_text, to_text
from intaglio.ir.types import FLOAT32, FloatType, TensorType
from intaglio.passes.check import equal_on_random_input
from intaglio.passes.lower import lower
from intaglio.testing.example import Example

FRAMES = 8
#: Floats of 64 bits hold every integer up to here, so sums of integers below it are exact.
EXACT = 1 << 53


def check_meaning(example: Example) -> None:
    """Check that results have the inferred type, and depend on nothing but the numbers.

    Each frame by itself gives what it gives in a batch; wider machine integers, and floats where
    the operator takes them, give the same numbers; operands are left as they are.

    Raises:
        VerificationError: one of it does not hold.
    """
    arrays = example.arrays(FRAMES, np.random.default_rng(0))
    for array in arrays:
        array.setflags(write=False)
    found = example.op.evaluate(*arrays)
    _check_type(example, found)
    last = [a if constant else a[-1:] for a, constant in _marked(example, arrays)]
    _require(example, "of a frame alone", example.op.evaluate(*last), found[-1:])
    if not example.integer:
        return
    wide = [array.astype(np.int64) for array in arrays]
    _require(example, "of 64-bit integers", example.op.evaluate(*wide), found)
    if _takes_floats(example) and np.abs(found).max(initial=0) < EXACT:
        floats = [array.astype(np.float64) for array in arrays]
        _require(example, "of the same numbers as floats", example.op.evaluate(*floats), found)


def _marked(example: Example, arrays: Sequence[np.ndarray]) -> list[tuple[np.ndarray, bool]]:
    constant = [name in example.constants for name in example.op.operands]
    return list(zip(arrays, constant, strict=True))


def _check_type(example: Example, found: np.ndarray) -> None:
    inferred = example.op.infer(*example.types)
    if found.shape != (FRAMES, *inferred.shape):
        raise VerificationError(
            f"{example}: a result must have the inferred shape {inferred.shape}, "
            f"not {found.shape[1:]}"
        )
    if isinstance(inferred.element, FloatType):
        if not np.issubdtype(found.dtype, np.floating):
            raise VerificationError(f"{example}: a result must hold floats, not {found.dtype}")
    elif not np.issubdtype(found.dtype, np.integer):
        raise VerificationError(f"{example}: a result must hold integers, not {found.dtype}")
    elif not inferred.element.contains(found):
        raise VerificationError(
            f"{example}: a result must lie in the inferred {inferred.element}, "
            f"not range over {found.min()}..{found.max()}"
        )


def _takes_floats(example: Example) -> bool:
    try:
        example.op.infer(*(TensorType(type_.shape, FLOAT32) for type_ in example.types))
    except ModelError:
        return False
    return True


def _require(example: Example, what: str, found: np.ndarray, expected: np.ndarray) -> None:
    if found.shape != expected.shape or not np.array_equal(found, expected):
        raise VerificationError(f"{example}: the result {what} must be the same; it is another")


def check_loops(example: Example) -> None:
    """Check that the loop nest writes every element of the result and reads inside its operands.

    An operator with an attribute `padding` reads from the padded image.

    Raises:
        VerificationError: it does not.
    """
    nest, result = example.op.loops(*example.types), example.op.infer(*example.types)
    written = _reach(nest, nest.write.indices)
    if math.prod(written) != result.size or _cells(nest) != result.size:
        raise VerificationError(
            f"{example}: the loop nest must write all of {result}, not {list(written)}"
        )
    for access in nest.reads:
        number = _operand(example, access.tensor)
        shape = _padded(example, number)
        reached = _reach(nest, access.indices)
        if len(reached) != len(shape) or any(r > s for r, s in zip(reached, shape, strict=True)):
            raise VerificationError(
                f"{example}: the loop nest must read {access.tensor} inside {list(shape)}, "
                f"not up to {list(reached)}"
            )


def _cells(nest: LoopNest) -> int:
    """Elements that a nest writes: the iterations of the dimensions its write depends on."""
    return math.prod(nest.dimensions[name] for name in nest.write.dimensions)


def _reach(nest: LoopNest, indices: Sequence[Index]) -> tuple[int, ...]:
    """Return the size of the box that an access touches."""
    last = {name: size - 1 for name, size in nest.dimensions.items()}
    return tuple(1 + sum(step * last[name] for name, step in axis) for axis in indices)


def _operand(example: Example, tensor: str) -> int:
    """Return which operand an access means: by its name, or `input` and its number."""
    names = {f"input{i}": i for i in range(len(example.types))}
    names |= {name: i for i, name in enumerate(example.op.operands)}
    if tensor not in names:
        raise VerificationError(
            f"{example}: the loop nest must read operands {', '.join(example.op.operands)}, "
            f"not {tensor!r}"
        )
    return names[tensor]


def _padded(example: Example, number: int) -> tuple[int, ...]:
    shape = example.types[number].shape
    padding = getattr(example.op, "padding", None)
    if padding is None or number > 0 or len(shape) != 3:
        return shape
    top, left, bottom, right = padding
    return shape[0] + top + bottom, shape[1] + left + right, shape[2]


def check_text(example: Example) -> None:
    """Check that attributes and the whole text form round-trip.

    Raises:
        VerificationError: they do not.
    """
    op = example.op
    again = type(op).from_attributes(json.loads(json.dumps(op.attributes())))
    if again != op:
        raise VerificationError(f"{example}: attributes must read back as {op}, not {again}")
    text = to_text(example.graph)
    parsed = from_text(text, {op.name: type(op)})
    if to_text(parsed) != text:
        raise VerificationError(f"{example}: the text form must read back as it was printed")


def check_lowering(example: Example) -> None:
    """Check that an operator and what it is lowered to compute the same.

    Raises:
        VerificationError: they do not.
    """
    if not example.integer:
        return
    lowered = lower(example.graph)
    before, after = example.graph.types["y"], lowered.types["y"]
    if after != before:
        raise VerificationError(f"{example}: a lowering must give {before}, not {after}")
    equal_on_random_input(example.graph, lowered, f"{example}: a lowering")
