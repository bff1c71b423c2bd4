# SPDX-License-Identifier: Apache-2.0
"""An operator with operands it accepts: what a check is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from intaglio.errors import ModelError
from intaglio.hw.unit import StreamOperator
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Program, Value
from intaglio.ir.operator import Operator
from intaglio.ir.types import FloatType, Quantization, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.relu import Relu
from intaglio.ops.requantize import Requantize
from intaglio.ops.slice import Slice


@dataclass(frozen=True)
class Example:
    """An operator and its operands in order: types of activations, constants with their data.

    Raises:
        ModelError: the operands do not fit the operator.
    """

    op: Operator
    operands: tuple[TensorType | Constant, ...]

    def __post_init__(self) -> None:
        self.op.infer(*self.types)

    def __str__(self) -> str:
        return f"{self.op.name} {self.op.attributes()} on {', '.join(map(str, self.types))}"

    @cached_property
    def types(self) -> tuple[TensorType, ...]:
        """Types of the operands."""
        return tuple(o.type if isinstance(o, Constant) else o for o in self.operands)

    @property
    def integer(self) -> bool:
        """Whether every operand holds integers."""
        return all(isinstance(type_.element, IntType) for type_ in self.types)

    @property
    def constants(self) -> Mapping[str, Constant]:
        """The operands that are constants, by the operator's names for them."""
        pairs = zip(self.op.operands, self.operands, strict=True)
        return {name: o for name, o in pairs if isinstance(o, Constant)}

    def arrays(self, frames: int, random: np.random.Generator) -> list[np.ndarray]:
        """Draw operands: activations [frames, *frame] with extremes among them, constants as is."""
        return [
            o.data if isinstance(o, Constant) else draw(o, frames, random) for o in self.operands
        ]

    @cached_property
    def graph(self) -> Graph:
        """The graph of the operator alone; activations are inputs `x0`, `x1` and so on."""
        names = [f"x{i}" for i in range(len(self.operands))]
        inputs = [
            Value(name, o)
            for name, o in zip(names, self.operands, strict=True)
            if isinstance(o, TensorType)
        ]
        constants = {
            name: o for name, o in zip(names, self.operands, strict=True) if isinstance(o, Constant)
        }
        node = Node("y", self.op, tuple(names))
        return Graph("example", tuple(inputs), (node,), ("y",), constants)

    def program(self) -> Program:
        """Return a program with one input around the operator, as hardware takes it.

        Further activations are cut out of the first and requantized. Where the operator has no unit
        of its own a rectifier that changes nothing follows, for a design has to compute something.

        Raises:
            ModelError: an activation does not fit inside the first.
        """
        first = next(o for o in self.operands if isinstance(o, TensorType))
        nodes: list[Node] = []
        constants: dict[str, Constant] = {}
        names = []
        for index, operand in enumerate(self.operands):
            name = f"x{index}"
            if isinstance(operand, Constant):
                constants[name] = operand
            else:
                name = "x"
                if operand.shape != first.shape:
                    name = f"x{index}.part"
                    nodes.append(Node(name, self._part(first, operand), ("x",)))
                if operand.element != first.element:
                    constants["one"] = Constant.integers(np.ones(1, dtype=np.int64))
                    scaled = Requantize(0, 0, operand.integer)
                    nodes.append(Node(f"x{index}", scaled, (name, "one")))
                    name = f"x{index}"
            names.append(name)
        nodes.append(Node("y", self.op, tuple(names)))
        if self._passes():
            nodes.append(Node("same", Relu(self.op.infer(*self.types).integer.min), ("y",)))
        output = nodes[-1].name
        graph = Graph("example", (Value("x", first),), tuple(nodes), (output,), constants)
        return Program(graph, dict.fromkeys(("x", output), Quantization((1.0,))))

    def _part(self, first: TensorType, operand: TensorType) -> Slice:
        """Cut an activation out of the first."""
        shape = operand.shape
        if len(shape) != len(first.shape) or any(
            size > room for size, room in zip(shape, first.shape, strict=True)
        ):
            raise ModelError(f"activations must fit inside the first for hardware, not {self}")
        return Slice((0,) * len(shape), shape, (1,) * len(shape))

    def _passes(self) -> bool:
        """Whether streams pass the operator as they are."""
        if not isinstance(self.op, StreamOperator) or self.op.lower(self.types) is not None:
            return False
        fold = next(self.op.folds(self.types))
        return self.op.unit(self.types, self.constants, fold) is None


def draw(type_: TensorType, frames: int, random: np.random.Generator) -> np.ndarray:
    """Draw a batch: one of lowest and one of highest codes, one of both, the others random."""
    shape, element = (frames, *type_.shape), type_.element
    if isinstance(element, FloatType):
        return random.standard_normal(shape).astype(np.float32)
    batch = random.integers(element.min, element.max, shape, endpoint=True)
    ends: Sequence[int] = (element.min, element.max)
    for index, codes in enumerate((ends[:1], ends[1:], ends)):
        if index < frames:
            batch[index] = random.choice(np.array(codes, dtype=np.int64), type_.shape)
    return batch.astype(element.dtype)
