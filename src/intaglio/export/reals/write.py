# SPDX-License-Identifier: Apache-2.0
"""A whole program, from its entrance to its results."""

from __future__ import annotations

import numpy as np

from intaglio.errors import ModelError
from intaglio.export.reals.rules import written
from intaglio.export.reals.steps import powers_of_two
from intaglio.export.reals.writer import FLOAT_BITS, Codes, Dialect, Real, Writer
from intaglio.ir.graph import Program


def write_model(program: Program, dialect: Dialect) -> tuple[bytes, tuple[str, ...]]:
    """Return the ONNX file of a program, and the nodes where float32 may round.

    Images are (C, H, W) inside, and at both ends where the source model had them so.

    Raises:
        ModelError: a node cannot be said; the text names it.
    """
    writer = Writer(program, dialect)
    graph = program.graph
    inputs = {}
    for value in graph.inputs:
        inputs[value.name] = _outside(program, value.type.shape)
        writer.reals[value.name] = _entrance(writer, value.name)
    names = result_names(program)
    writer.model.taken.update(names.values())
    for node in graph.nodes:
        writer.reals[node.name] = written(writer, node)
        if writer.type(node.name).width > FLOAT_BITS and not node.op.constant_operands:
            writer.inexact.append(node.name)
    about = writer.about()
    outputs = {}
    for name in graph.outputs:
        _result(writer, name, names[name])
        outputs[names[name]] = _outside(program, graph.types[name].shape)
    return writer.model.encoded(graph.name, inputs, outputs, about), tuple(writer.inexact)


def result_names(program: Program) -> dict[str, str]:
    """Return what the model calls each result: as the source model did, if that is known."""
    producers = program.graph.producers
    return {name: producers[name].origin or name for name in program.graph.outputs}


def _outside(program: Program, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of a frame as the source model has it."""
    if program.graph.channels_first and len(shape) == 3:
        return shape[2], *shape[:2]
    return shape


def _entrance(writer: Writer, name: str) -> Real:
    how, shape = writer.program.quantization[name], writer.shape(name)
    if len(how.scale) > 1:
        raise ModelError(f"input {name!r} must have one scale, not {len(how.scale)}")
    tensor = writer.model.fresh(name)
    if not writer.program.graph.channels_first:
        tensor = writer.channels_first(tensor, shape)
    codes = Codes(
        writer.type(name), np.array(how.scale, np.float32).astype(np.float64), how.zero_point
    )
    if not powers_of_two(codes.scale / writer.unit):
        writer.inexact.append(name)
    where = f"input {name!r}"
    tensor = writer.dialect.activation(writer.model, where, tensor, codes, f"{name}/quantized")
    return Real(tensor, codes.scale, codes.zero)


def _result(writer: Writer, name: str, called: str) -> None:
    """Bring a result to what it means in the program, and to the source model's order."""
    how = writer.program.quantization[name]
    x = writer.brought(f"{name}/result", name, np.array(how.scale), how.zero_point)
    writer.reals[name] = x
    first = writer.program.graph.channels_first
    x = writer.straight(name) if first else writer.channels_last(name)
    writer.model.rename(x.tensor, called)
