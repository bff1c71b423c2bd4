# SPDX-License-Identifier: Apache-2.0
"""Random small networks in the many ways that exporters write the same thing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st

from tests.frontend.models import Model

Draw = Callable[[st.SearchStrategy], object]


@st.composite
def networks(draw: Draw) -> Model:
    """Draw a chain of image layers, a way to flatten, dense layers and an end."""
    size = draw(st.integers(5, 9)), draw(st.integers(5, 9))
    model = Model(
        (draw(st.integers(1, 3)), *size),
        draw(st.sampled_from([7, 9, 10, 11, 12, 13, 15, 17, 18, 20, 21, 22, 23])),
        draw(st.sampled_from(["N", 1, 3])),
        draw(st.integers(0, 999)),
    )
    shape = model.frame
    for layer in draw(st.lists(st.sampled_from(IMAGE_LAYERS), max_size=5)):
        shape = layer(draw, model, shape)
    features = draw(st.sampled_from(FLATTENS))(model, shape)
    for _ in range(draw(st.integers(1, 2))):
        features = draw(st.sampled_from([_gemm, _matmul_add]))(draw, model, features)
        if draw(st.booleans()):
            model.node("Relu")
    draw(st.sampled_from([_nothing, _softmax, _argmax]))(model)
    return model


def _conv(draw: Draw, model: Model, shape: tuple[int, ...]) -> tuple[int, ...]:
    channels, height, width = shape
    out = draw(st.integers(1, 4))
    kernel = [draw(st.integers(1, min(3, n))) for n in (height, width)]
    operands = [model.constant(model.draw(out, channels, *kernel))]
    if draw(st.booleans()):
        operands.append(model.constant(model.draw(out)))
    stride = [draw(st.integers(1, 2)), draw(st.integers(1, 2))]
    attributes, size = _padding(draw, (height, width), kernel, stride)
    model.node("Conv", model.last, *operands, strides=stride, **attributes)
    if draw(st.booleans()):
        model.node("Add", model.last, model.constant(model.draw(out, 1, 1)))
    return out, *size


def _padding(
    draw: Draw, size: tuple[int, int], kernel: list[int], stride: list[int]
) -> tuple[dict[str, object], tuple[int, int]]:
    mode = draw(st.sampled_from(["pads", "pads", "VALID", "SAME_UPPER", "SAME_LOWER"]))
    if mode.startswith("SAME") and all(k >= s for k, s in zip(kernel, stride, strict=True)):
        down, across = (-(-n // s) for n, s in zip(size, stride, strict=True))
        return {"auto_pad": mode}, (down, across)
    pads = [draw(st.integers(0, k - 1)) for k in kernel * 2] if mode == "pads" else [0] * 4
    attributes = {"pads": pads} if mode == "pads" else {"auto_pad": "VALID"}
    whole = (size[0] + pads[0] + pads[2], size[1] + pads[1] + pads[3])
    down, across = ((n - k) // s + 1 for n, k, s in zip(whole, kernel, stride, strict=True))
    return attributes, (down, across)


def _pool(draw: Draw, model: Model, shape: tuple[int, ...]) -> tuple[int, ...]:
    channels, height, width = shape
    kernel = [draw(st.integers(1, min(3, n))) for n in (height, width)]
    stride = [draw(st.integers(1, 2)), draw(st.integers(1, 2))]
    attributes, size = _padding(draw, (height, width), kernel, stride)
    op = draw(st.sampled_from(["MaxPool", "AveragePool"]))
    if op == "AveragePool":
        attributes["count_include_pad"] = draw(st.integers(0, 1))
    model.node(op, model.last, kernel_shape=kernel, strides=stride, **attributes)
    return channels, *size


def _ceil_pool(draw: Draw, model: Model, shape: tuple[int, ...]) -> tuple[int, ...]:
    if model.opset < 10:
        return shape
    channels, height, width = shape
    model.node("MaxPool", model.last, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
    return channels, -(-height // 2), -(-width // 2)


def _batch_norm(draw: Draw, model: Model, shape: tuple[int, ...]) -> tuple[int, ...]:
    n = shape[0]
    arrays = [model.draw(n), model.draw(n), model.draw(n), model.draw(n, low=0.1)]
    model.node("BatchNormalization", model.last, *map(model.constant, arrays), epsilon=1e-3)
    return shape


def _relu(draw: Draw, model: Model, shape: tuple[int, ...]) -> tuple[int, ...]:
    model.node("Relu")
    return shape


def _clip(draw: Draw, model: Model, shape: tuple[int, ...]) -> tuple[int, ...]:
    low, high = draw(st.sampled_from([(0.0, 1.0), (-0.5, 0.5), (0.0, None), (None, 0.75)]))
    if model.opset < 11:
        given = {"min": low, "max": high}
        model.node("Clip", model.last, **{k: v for k, v in given.items() if v is not None})
        return shape
    ends = ["" if n is None else model.constant(np.float32(n)) for n in (low, high)]
    model.node("Clip", model.last, *ends)
    return shape


def _residual(draw: Draw, model: Model, shape: tuple[int, ...]) -> tuple[int, ...]:
    before = model.last
    model.node("Relu")
    operands = [before, model.last]
    model.node("Add", *(operands if draw(st.booleans()) else operands[::-1]))
    return shape


def _arithmetic(draw: Draw, model: Model, shape: tuple[int, ...]) -> tuple[int, ...]:
    op = draw(st.sampled_from(["Add", "Sub", "Mul", "Div"]))
    sizes = draw(st.sampled_from([(), (1,), (shape[0], 1, 1), (1, shape[0], 1, 1)]))
    constant = model.constant(model.draw(*sizes, low=0.5))
    first = op != "Div" and draw(st.booleans())
    model.node(op, *([constant, model.last] if first else [model.last, constant]))
    return shape


def _pad(draw: Draw, model: Model, shape: tuple[int, ...]) -> tuple[int, ...]:
    top, left, bottom, right = (draw(st.integers(0, 2)) for _ in range(4))
    pads = [0, 0, top, left, 0, 0, bottom, right]
    if model.opset < 11:
        model.node("Pad", model.last, pads=pads, mode="constant", value=1.0)
    else:
        model.node("Pad", model.last, model.constant(np.array(pads)), model.constant(np.float32(1)))
    return shape[0], shape[1] + top + bottom, shape[2] + left + right


def _same(draw: Draw, model: Model, shape: tuple[int, ...]) -> tuple[int, ...]:
    op = draw(st.sampled_from(["Identity", "Dropout", "Transposes"]))
    if op == "Transposes":
        model.node("Transpose", model.last, perm=[0, 2, 3, 1])
        model.node("Relu")
        model.node("Transpose", model.last, perm=[0, 3, 1, 2])
    else:
        model.node(op)
    return shape


IMAGE_LAYERS = [
    _conv,
    _pool,
    _ceil_pool,
    _batch_norm,
    _relu,
    _clip,
    _residual,
    _arithmetic,
    _pad,
    _same,
]


def _flatten(model: Model, shape: tuple[int, ...]) -> int:
    model.node("Flatten", model.last, axis=1)
    return int(np.prod(shape))


def _reshape(model: Model, shape: tuple[int, ...]) -> int:
    model.node("Reshape", model.last, model.constant(np.array([0, -1])))
    return int(np.prod(shape))


def _reshape_batch(model: Model, shape: tuple[int, ...]) -> int:
    features = int(np.prod(shape))
    model.node("Reshape", model.last, model.constant(np.array([-1, features])))
    return features


def _reshape_by_shape(model: Model, shape: tuple[int, ...]) -> int:
    image = model.last
    model.node("Shape")
    model.node("Gather", model.last, model.constant(np.int64(0)), axis=0)
    _unsqueeze(model, [0])
    model.node("Concat", model.last, model.constant(np.array([-1])), axis=0)
    model.node("Reshape", image, model.last)
    return int(np.prod(shape))


def _global_average(model: Model, shape: tuple[int, ...]) -> int:
    model.node("GlobalAveragePool")
    return _flatten(model, shape[:1])


def _mean(model: Model, shape: tuple[int, ...]) -> int:
    if model.opset < 18:
        model.node("ReduceMean", model.last, axes=[-1], keepdims=0)
        model.node("ReduceMean", model.last, axes=[-1], keepdims=0)
    else:
        axes = model.constant(np.array([2, 3]))
        model.node("ReduceMean", model.last, axes, keepdims=0)
    return shape[0]


def _channels_last(model: Model, shape: tuple[int, ...]) -> int:
    model.node("Transpose", model.last, perm=[0, 2, 3, 1])
    return _flatten(model, shape)


def _unsqueeze(model: Model, axes: list[int]) -> None:
    if model.opset < 13:
        model.node("Unsqueeze", model.last, axes=axes)
    else:
        model.node("Unsqueeze", model.last, model.constant(np.array(axes)))


FLATTENS = [
    _flatten,
    _reshape,
    _reshape_batch,
    _reshape_by_shape,
    _global_average,
    _mean,
    _channels_last,
]


def _gemm(draw: Draw, model: Model, features: int) -> int:
    out = draw(st.integers(1, 5))
    transposed = draw(st.booleans())
    weight = model.draw(out, features) if transposed else model.draw(features, out)
    sizes = draw(st.sampled_from([(out,), (1, out), (1,), ()]))
    bias = [model.constant(model.draw(*sizes))]
    if model.opset >= 11 and draw(st.booleans()):
        bias = []
    scales = {"alpha": 0.5, "beta": 2.0} if draw(st.booleans()) else {}
    weights = model.constant(weight)
    model.node("Gemm", model.last, weights, *bias, transB=int(transposed), **scales)
    return out


def _matmul_add(draw: Draw, model: Model, features: int) -> int:
    out = draw(st.integers(1, 5))
    model.node("MatMul", model.last, model.constant(model.draw(features, out)))
    if draw(st.booleans()):
        model.node("Add", model.last, model.constant(model.draw(out)))
    return out


def _nothing(model: Model) -> None:
    return None


def _softmax(model: Model) -> None:
    model.node("Softmax", model.last, axis=1)


def _argmax(model: Model) -> None:
    model.node("ArgMax", model.last, axis=1, keepdims=model.seed % 2)
