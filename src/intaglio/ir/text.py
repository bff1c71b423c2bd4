# SPDX-License-Identifier: Apache-2.0
"""The text form of graphs and programs. Printing and parsing are inverse, to the last bit.

    program lenet5 channels_first
    input image : u8[28,28,1] scale 0.00392 zero 0
    const w : s8n[6,5,5,1] = 3 -7 12 ...
    c1.acc = conv2d(image, w, b) {"padding":[2,2,2,2],...} : s22[28,28,6]
    output c1
    note "softmax 'prob' is left out"

Names are printed as JSON strings where they are not plain words. With `constants=False` the data
of a constant is left out (`= @`): the artifact file holds it as an array.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from intaglio.errors import ModelError
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Program, Value
from intaglio.ir.operator import Operator
from intaglio.ir.types import FLOAT32, Element, FloatType, Quantization, TensorType
from intaglio.numerics.types import IntType

_PLAIN = re.compile(r"[A-Za-z0-9_./:-]+")
_NAME = r'("(?:[^"\\]|\\.)*"|[A-Za-z0-9_./:-]+)'
_TYPE = r"([a-z]\d+n?)\[([\d,]*)\]"
_QUANTIZATION = r"(?: scale (\S+) zero (-?\d+))?"
_HEADER = re.compile(rf"(graph|program) {_NAME}( channels_first)?")
_INPUT = re.compile(rf"input {_NAME} : {_TYPE}{_QUANTIZATION}")
_CONSTANT = re.compile(rf"const {_NAME} : {_TYPE} = (.*)")
_NODE = re.compile(
    rf"{_NAME} = (\w+)\((.*?)\) (\{{.*?\}}) : {_TYPE}{_QUANTIZATION}(?: from {_NAME})?"
)
_OUTPUT = re.compile(rf"output {_NAME}")
_NOTE = re.compile(r'note ("(?:[^"\\]|\\.)*")')


def to_text(item: Graph | Program, *, constants: bool = True) -> str:
    """Print a graph or a program."""
    graph = item.graph if isinstance(item, Program) else item
    meaning = item.quantization if isinstance(item, Program) else {}
    kind = "program" if isinstance(item, Program) else "graph"
    lines = [f"{kind} {_quote(graph.name)}" + (" channels_first" if graph.channels_first else "")]
    for value in graph.inputs:
        lines.append(f"input {_quote(value.name)} : {value.type}{_meaning(meaning, value.name)}")
    for name, constant in graph.constants.items():
        data = _numbers(constant) if constants else "@"
        lines.append(f"const {_quote(name)} : {constant.type} = {data}")
    for node in graph.nodes:
        operands = ", ".join(map(_quote, node.inputs))
        attributes = json.dumps(node.op.attributes(), separators=(",", ":"))
        origin = f" from {_quote(node.origin)}" if node.origin else ""
        lines.append(
            f"{_quote(node.name)} = {node.op.name}({operands}) {attributes} : "
            f"{graph.types[node.name]}{_meaning(meaning, node.name)}{origin}"
        )
    lines += [f"output {_quote(name)}" for name in graph.outputs]
    lines += (
        [f"note {json.dumps(note)}" for note in item.notes] if isinstance(item, Program) else []
    )
    return "\n".join(lines) + "\n"


@dataclass
class _Parsed:
    """What has been read so far; only `from_text` sees it half filled."""

    kind: str = ""
    name: str = ""
    channels_first: bool = False
    inputs: list[Value] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    constants: dict[str, Constant] = field(default_factory=dict)
    meaning: dict[str, Quantization] = field(default_factory=dict)
    stated: dict[str, TensorType] = field(default_factory=dict)


def from_text(
    text: str,
    operators: Mapping[str, type[Operator]],
    arrays: Mapping[str, np.ndarray] | None = None,
) -> Graph | Program:
    """Parse what `to_text` printed; `arrays` holds the constants that the text leaves out.

    Raises:
        ModelError: a line is not of the form, an operator is unknown, or a stated type is wrong;
            the text names the line.
    """
    parsed = _Parsed()
    for number, line in enumerate(text.splitlines(), 1):
        try:
            _line(parsed, line, operators, arrays or {})
        except (ModelError, ValueError, OverflowError) as error:
            raise ModelError(f"line {number}: {error}") from None
    if not parsed.kind:
        raise ModelError("the text of a graph must begin with graph NAME or program NAME")
    graph = Graph(
        parsed.name,
        tuple(parsed.inputs),
        tuple(parsed.nodes),
        tuple(parsed.outputs),
        parsed.constants,
        parsed.channels_first,
    )
    for name, stated in parsed.stated.items():
        if graph.types[name] != stated:
            raise ModelError(f"value {name!r} must be {graph.types[name]}, not {stated}")
    if parsed.kind != "program":
        return graph
    return Program(graph, parsed.meaning, tuple(parsed.notes))


def _line(
    parsed: _Parsed,
    line: str,
    operators: Mapping[str, type[Operator]],
    arrays: Mapping[str, np.ndarray],
) -> None:
    if match := _HEADER.fullmatch(line):
        parsed.kind, parsed.name = match[1], _unquote(match[2])
        parsed.channels_first = match[3] is not None
    elif match := _INPUT.fullmatch(line):
        name, type_ = _unquote(match[1]), _type(match[2], match[3])
        parsed.inputs.append(Value(name, type_))
        _remember(parsed, name, match[4], match[5])
    elif match := _CONSTANT.fullmatch(line):
        name, type_ = _unquote(match[1]), _type(match[2], match[3])
        parsed.constants[name] = _constant(name, type_, match[4], arrays)
    elif match := _OUTPUT.fullmatch(line):
        parsed.outputs.append(_unquote(match[1]))
    elif match := _NOTE.fullmatch(line):
        parsed.notes.append(json.loads(match[1]))
    elif match := _NODE.fullmatch(line):
        if match[2] not in operators:
            raise ModelError(f"an operator must be one of {sorted(operators)}, not {match[2]!r}")
        op = operators[match[2]].from_attributes(json.loads(match[4]))
        inputs = tuple(_unquote(name) for name in re.findall(_NAME, match[3]))
        name, origin = _unquote(match[1]), _unquote(match[9]) if match[9] else ""
        parsed.nodes.append(Node(name, op, inputs, origin))
        parsed.stated[name] = _type(match[5], match[6])
        _remember(parsed, name, match[7], match[8])
    else:
        raise ModelError(f"a line must be an input, const, node or output, not {line[:60]!r}")


def _constant(
    name: str, type_: TensorType, text: str, arrays: Mapping[str, np.ndarray]
) -> Constant:
    if text == "@":
        if name not in arrays or arrays[name].shape != type_.shape:
            raise ModelError(f"constant {name!r} must come with an array of shape {type_.shape}")
        return Constant(arrays[name], type_.element)
    kind = np.float32 if isinstance(type_.element, FloatType) else np.int64
    data = np.array([kind(word) for word in text.split()], dtype=kind)
    if data.size != type_.size:
        raise ModelError(f"constant {name!r} must have {type_.size} numbers, not {data.size}")
    return Constant(data.reshape(type_.shape), type_.element)


def _quote(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else json.dumps(name)


def _unquote(text: str) -> str:
    return str(json.loads(text)) if text.startswith('"') else text


def _type(element: str, shape: str) -> TensorType:
    kind: Element = FLOAT32 if element == str(FLOAT32) else IntType.parse(element)
    return TensorType(tuple(int(size) for size in shape.split(",") if size), kind)


def _numbers(constant: Constant) -> str:
    return " ".join(str(number) for number in constant.data.ravel())


def _meaning(quantization: Mapping[str, Quantization], name: str) -> str:
    if name not in quantization:
        return ""
    how = quantization[name]
    return f" scale {','.join(map(repr, how.scale))} zero {how.zero_point}"


def _remember(parsed: _Parsed, name: str, scale: str | None, zero: str | None) -> None:
    if scale is not None and zero is not None:
        parsed.meaning[name] = Quantization(tuple(map(float, scale.split(","))), int(zero))
