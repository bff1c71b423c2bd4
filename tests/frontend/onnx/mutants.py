# SPDX-License-Identifier: Apache-2.0
"""Damaged models: three small ones, each changed at random in bytes or in fields of its message."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.descriptor import FieldDescriptor as Field
from google.protobuf.message import Message

from intaglio.frontend.onnx.operators import OPERATORS
from tests.frontend.models import Model, lenet_like

INTEGERS = (0, 1, -1, 2, 3, 7, 8, 64, 255, 1 << 16, 1 << 31, -(1 << 31), 1 << 40, (1 << 63) - 1)
FLOATS = (0.0, -0.0, 1.0, -1.0, 1e-45, 3e38, float("inf"), float("-inf"), float("nan"))
WORDS = ("", "x", "t0", "t1", "axis", "pads", "SAME_UPPER", "m.onnx", "../m.onnx", "\0", "a/b", "é")
MOST = 4


def originals(folder: Path) -> list[bytes]:
    """Return three small models; the weights of the last lie in the folder."""
    beside = residual(13).proto()
    path = folder / "beside.onnx"
    onnx.save_model(
        beside,
        str(path),
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location="beside.bin",
        size_threshold=0,
    )
    models = [lenet_like().proto(), residual(11).proto()]
    return [*(model.SerializeToString() for model in models), path.read_bytes()]


def residual(opset: int) -> Model:
    """Return a network with two branches, a normalization, a mean and shape arithmetic."""
    model = Model((2, 6, 6), opset)
    first = model.node("Conv", "x", model.constant(model.draw(2, 2, 3, 3)), pads=[1, 1, 1, 1])
    gains = [model.constant(model.draw(2, low=0.1)) for _ in range(4)]
    model.node("BatchNormalization", first, *gains)
    ends = [model.constant(np.float32(end)) for end in (-0.5, 2.0)]
    model.node("Clip", model.last, *ends)
    model.node("Add", model.last, first)
    model.node("AveragePool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=0)
    model.node("Transpose", perm=[0, 2, 3, 1])
    model.node("Mul", model.last, model.constant(model.draw(2)))
    image = model.last
    model.node("Shape")
    model.node("Gather", model.last, model.constant([0]), axis=0)
    model.node("Concat", model.last, model.constant([-1]), axis=0)
    model.node("Reshape", image, model.last)
    model.node("MatMul", model.last, model.constant(model.draw(18, 3)))
    return model


def mutant(original: bytes, dice: random.Random) -> bytes:
    """Change a model in one to four places, all in its bytes or all in its fields."""
    changes = min(dice.randint(1, MOST), dice.randint(1, MOST))
    if dice.random() < 1 / 3:
        data = bytearray(original)
        for _ in range(changes):
            dice.choice((_overwrite, _insert, _remove, _cut))(data, dice)
        return bytes(data)
    proto = onnx.ModelProto.FromString(original)
    for _ in range(changes):
        message, field = dice.choice(list(_fields(proto)))
        if field.is_repeated:
            _change_list(message, field, dice)
        elif dice.random() < 1 / 8:
            message.ClearField(field.name)
        elif field.message_type is None:
            setattr(message, field.name, _other(getattr(message, field.name), message, field, dice))
    return proto.SerializeToString()


# --- bytes ---------------------------------------------------------------------------------------


def _overwrite(data: bytearray, dice: random.Random) -> None:
    data[dice.randrange(len(data))] = dice.randrange(256)


def _insert(data: bytearray, dice: random.Random) -> None:
    place = dice.randrange(len(data))
    data[place:place] = dice.randbytes(dice.randint(1, 8))


def _remove(data: bytearray, dice: random.Random) -> None:
    place = dice.randrange(len(data))
    del data[place : place + dice.randint(1, 8)]
    data += b"\0"


def _cut(data: bytearray, dice: random.Random) -> None:
    if dice.random() < 1 / 8:
        del data[dice.randrange(1, len(data)) :]
    data += b"\0"


# --- fields --------------------------------------------------------------------------------------


def _fields(message: Message) -> Iterator[tuple[Message, Any]]:
    """Yield every field that is set, anywhere in a message."""
    for field, value in message.ListFields():
        yield message, field
        if field.message_type is not None:
            for inner in value if field.is_repeated else [value]:
                yield from _fields(inner)


def _change_list(message: Message, field: Any, dice: random.Random) -> None:
    """Remove, repeat, exchange or change an element, or write the list often one after another."""
    values = getattr(message, field.name)
    if not len(values):
        return
    place, other = dice.randrange(len(values)), dice.randrange(len(values))
    action = dice.choice(("remove", "repeat", "exchange", "change", "change", "change", "many"))
    if action == "remove":
        del values[place]
    elif action == "many":
        values.extend(list(values) * dice.choice((1, 20)))
    elif field.message_type is not None:
        if action == "repeat":
            values.add().CopyFrom(values[place])
        elif action == "exchange":
            values[place].CopyFrom(values[other])
    elif action == "repeat":
        values.append(values[place])
    elif action == "exchange":
        values[place], values[other] = values[other], values[place]
    else:
        values[place] = _other(values[place], message, field, dice)


def _other(value: Any, message: Message, field: Any, dice: random.Random) -> Any:
    """Return another value for a field of numbers or text."""
    if field.name == "op_type":
        return dice.choice(sorted(OPERATORS))[1]
    changes: dict[int, Callable[[], Any]] = {
        Field.CPPTYPE_STRING: lambda: _text(value, dice),
        Field.CPPTYPE_FLOAT: lambda: dice.choice(FLOATS),
        Field.CPPTYPE_DOUBLE: lambda: dice.choice(FLOATS),
        Field.CPPTYPE_ENUM: lambda: dice.choice(field.enum_type.values).number,
        Field.CPPTYPE_INT32: lambda: _wrapped(_integer(value, dice), 32),
        Field.CPPTYPE_INT64: lambda: _wrapped(_integer(value, dice), 64),
        Field.CPPTYPE_UINT64: lambda: _integer(value, dice) % (1 << 64),
    }
    return changes[field.cpp_type]()


def _text(value: str | bytes, dice: random.Random) -> str | bytes:
    if isinstance(value, str):
        return dice.choice((*WORDS, value * 2, value[:-1]))
    return dice.choice((b"", value[:-1], value * 2, dice.randbytes(len(value)), b"\xff\xfe"))


def _integer(value: int, dice: random.Random) -> int:
    return dice.choice((*INTEGERS, value + 1, value - 1, -value))


def _wrapped(value: int, bits: int) -> int:
    half = 1 << (bits - 1)
    return (value + half) % (2 * half) - half
