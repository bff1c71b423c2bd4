# SPDX-License-Identifier: Apache-2.0
"""The base of every operator: type rule, meaning, loops, lowering. Hardware is asked for in hw."""

from __future__ import annotations

import dataclasses
import enum
import typing
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from intaglio.errors import ModelError
from intaglio.ir.constant import Constant
from intaglio.ir.loops import LoopNest
from intaglio.ir.types import TensorType
from intaglio.numerics.types import IntType


@dataclass(frozen=True)
class Step:
    """One operator of a lowering, fed by named values: `x` is the lowered node's own operand."""

    name: str
    op: Operator
    inputs: tuple[str, ...]
    constants: Mapping[str, Constant] = field(default_factory=dict)


class Operator(ABC):
    """One operation with its attributes. Subclasses are frozen dataclasses, one to a file.

    `operands` names the inputs in order; those in `constant_operands` must be constants, the
    others are activations whose arrays carry a leading batch axis. An operator that `rearranges`
    gives its operands' elements as they are: moved, repeated or left out. One that `jumps` has
    results that a small change of x can move by a whole step, never down if x goes up.
    """

    name: ClassVar[str]
    operands: ClassVar[tuple[str, ...]] = ("x",)
    constant_operands: ClassVar[frozenset[str]] = frozenset()
    rearranges: ClassVar[bool] = False
    jumps: ClassVar[bool] = False

    @abstractmethod
    def infer(self, *types: TensorType) -> TensorType:
        """Return the type of the result.

        Raises:
            ModelError: the operand types do not fit the operator.
        """

    @abstractmethod
    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        """Compute the result: exact on integers, valid on floats. Shapes: [N, *frame]."""

    @abstractmethod
    def loops(self, *types: TensorType) -> LoopNest:
        """Return the loop nest of one frame."""

    def lower(self, types: Sequence[TensorType]) -> Sequence[Step] | None:  # noqa: ARG002
        """Return the smaller operators this one is made of in hardware, or None if it is core."""
        return None

    def lowered_constants(
        self,
        constants: Mapping[str, Constant],  # noqa: ARG002
    ) -> Mapping[str, Constant]:
        """Return what the steps of `lower` read besides, made from the operator's own constants."""
        return {}

    def attributes(self) -> dict[str, Any]:
        """Return the attributes as JSON types, in declaration order."""
        fields = dataclasses.fields(self)  # type: ignore[arg-type]
        return {f.name: _plain(getattr(self, f.name)) for f in fields}

    @classmethod
    def from_attributes(cls, attributes: Mapping[str, Any]) -> Self:
        """Build the operator from what `attributes` returned.

        Raises:
            ModelError: an attribute is unknown, missing or of the wrong kind.
        """
        hints = typing.get_type_hints(cls)
        try:
            return cls(**{key: _rich(value, hints[key]) for key, value in attributes.items()})
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{cls.name} must have its own attributes: {error}") from None


def _plain(value: Any) -> Any:
    match value:
        case tuple():
            return list(value)
        case IntType():
            return str(value)
        case enum.Enum():
            return value.value
        case _:
            return value


def _rich(value: Any, hint: Any) -> Any:
    if hint is IntType:
        return IntType.parse(value)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint(value)
    return tuple(value) if isinstance(value, list) else value
