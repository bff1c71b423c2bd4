# SPDX-License-Identifier: Apache-2.0
"""Resize and Upsample, as ONNX has them: which pixel each pixel of the result is.

Source: the formulas of Resize-19 in the operator specification. Upsample and Resize-10 have the
asymmetric form, which ONNX Runtime rounds down to larger images and up to smaller ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from intaglio.frontend.builder import UnsupportedError
from intaglio.frontend.layers import resize
from intaglio.frontend.onnx.call import Call, Operators, Result
from intaglio.ops.windows import Pair

_Coordinates = Callable[[np.ndarray, np.float32, int, int], np.ndarray]

#: Where pixels of the result lie in x: from their numbers, the scale, the lengths of x and result.
_COORDINATES: Mapping[str, _Coordinates] = {
    "align_corners": lambda n, _, old, new: n * np.float32(old - 1) / np.float32(max(new - 1, 1)),
    "asymmetric": lambda n, scale, *_: n / scale,
    "half_pixel": lambda n, scale, *_: _centered(n, scale),
    "pytorch_half_pixel": lambda n, scale, _, new: _centered(n, scale) if new > 1 else n * 0,
    "tf_half_pixel_for_nn": lambda n, scale, *_: (n + np.float32(0.5)) / scale,
}
#: Which pixel is nearest to a place.
_NEAREST: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "ceil": np.ceil,
    "floor": np.floor,
    "round_prefer_ceil": lambda place: np.floor(place + np.float32(0.5)),
    "round_prefer_floor": lambda place: np.ceil(place - np.float32(0.5)),
}


def _centered(numbers: np.ndarray, scale: np.float32) -> np.ndarray:
    return (numbers + np.float32(0.5)) / scale - np.float32(0.5)


def _resize(call: Call) -> Result:
    old = call.opset < 11
    mode = call.word("mode", "nearest")
    coordinates = call.word("coordinate_transformation_mode", "half_pixel")
    rounding = call.word("nearest_mode", "round_prefer_floor")
    if call.word("keep_aspect_ratio_policy", "stretch") != "stretch":
        raise UnsupportedError("keep_aspect_ratio_policy must be stretch")
    x, height, width = call.image()
    size, scales = _target(call, (height, width), 1 if old else 2)
    roundings = [rounding, rounding]
    if old:
        coordinates, roundings = "asymmetric", ["ceil" if n < 1 else "floor" for n in scales]
    if max(size) > MAX_SIZE or min(size) < 1:
        raise UnsupportedError(f"its result must be 1 to {MAX_SIZE} high and wide, not {size}")
    if mode == "linear" and coordinates in _CENTERED and not call.flag("antialias", 0):
        return call.like_operand(resize.bilinear(call.builder, x, size, scales, call.site))
    if mode != "nearest" or coordinates not in _COORDINATES or rounding not in _NEAREST:
        raise UnsupportedError(
            f"mode {mode} with {coordinates} is not computed",
            "Resize with mode nearest, or linear by 2 with half_pixel",
        )
    places = partial(_places, coordinates)
    rows, columns = map(places, roundings, scales, (height, width), size)
    return call.like_operand(resize.nearest(call.builder, x, rows, columns, call.site))


def _target(call: Call, old: Pair, index: int) -> tuple[Pair, tuple[float, float]]:
    """Return the new height and width, and the scales to them, from scales or sizes."""
    rank = len(call.activation().shape) + 1
    axes = [axis % rank for axis in call.integers("axes", range(rank)) or ()]
    sizes = call.integers_or_operand("sizes", 3) if index > 1 else None
    numbers = list(sizes) if sizes else _scales(call, index)
    if len(numbers) != len(axes) or any(
        n != (call.batch, *call.activation().shape)[axis] if sizes else n != 1
        for n, axis in zip(numbers, axes, strict=False)
        if axis < 2
    ):
        raise UnsupportedError(
            f"it must resize height and width alone, not by {numbers} along {axes}"
        )
    named = dict(zip(axes, numbers, strict=True))
    down, across = (named.get(axis) for axis in (2, 3)) if rank == 4 else (None, named.get(2))
    pairs = list(zip((down, across), old, strict=True))
    if sizes:
        new = [n if given is None else int(given) for given, n in pairs]
        return (new[0], new[1]), (new[0] / old[0], new[1] / old[1])
    scales = [1.0 if given is None else float(given) for given, _ in pairs]
    new = [int(np.float32(n) * np.float32(scale)) for n, scale in zip(old, scales, strict=True)]
    return (new[0], new[1]), (scales[0], scales[1])


def _scales(call: Call, index: int) -> list[float]:
    """Return the scales, which the oldest form has as an attribute."""
    given = call.node.attributes.get("scales")
    if isinstance(given, tuple):
        found = np.array(given, np.float64)
    else:
        found = call.weights(index).astype(np.float64).reshape(-1)
    if np.any(found <= 0) or np.any(found > MAX_SIZE):
        raise UnsupportedError(f"scales must be above 0 and at most {MAX_SIZE}")
    return [float(n) for n in found]


def _places(coordinates: str, rounding: str, scale: float, old: int, new: int) -> np.ndarray:
    """Return which pixel of x each of the result is, in the 32-bit floats of the runtime."""
    numbers = np.arange(new, dtype=np.float32)
    places = _COORDINATES[coordinates](numbers, np.float32(scale), old, new)
    nearest: np.ndarray = _NEAREST[rounding](places)
    return np.clip(nearest, 0, old - 1).astype(np.int64)


#: No image is higher or wider.
MAX_SIZE = 1 << 16
#: What puts pixels at their centers, for whole scales.
_CENTERED = ("half_pixel", "pytorch_half_pixel", "half_pixel_symmetric")

OPERATORS: Operators = {
    ("", "Resize"): _resize,
    ("", "Upsample"): _resize,
}
