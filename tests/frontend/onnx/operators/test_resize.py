# SPDX-License-Identifier: Apache-2.0
"""Images of another size, in all the ways there are to say it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import ModelError
from intaglio.frontend import load_onnx
from tests.frontend.models import Model
from tests.frontend.onnx.operators.reading import Write, integers, operators_of, refusal

IMAGE = (3, 4, 6)


def _scaled(*scales: float, **attributes: object) -> Write:
    def write(model: Model) -> None:
        constant = model.constant(np.array([1, 1, *scales], np.float32))
        operands = ["x", "", constant] if model.opset > 10 else ["x", constant]
        model.node("Resize", *operands, **attributes)

    return write


def _sized(*sizes: int, **attributes: object) -> Write:
    def write(model: Model) -> None:
        model.batch = 1
        model.node("Resize", "x", "", "", integers(model, *sizes), **attributes)

    return write


def _sized_by_shape(model: Model) -> None:
    """How torch writes the size of another branch."""
    pooled = model.node("MaxPool", "x", kernel_shape=[2, 2], strides=[2, 2])
    model.node("Slice", model.node("Shape", "x"), integers(model, 2), integers(model, 4))
    size = model.last
    model.node("Slice", model.node("Shape", pooled), integers(model, 0), integers(model, 2))
    model.node("Concat", model.last, size, axis=0)
    model.node(
        "Resize",
        pooled,
        "",
        "",
        model.last,
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


ASYMMETRIC = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
LINEAR = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}


@pytest.mark.parametrize(
    ("opset", "write", "names"),
    [
        (7, lambda m: m.node("Upsample", "x", scales=[1.0, 1.0, 2.0, 3.0]), ["upsample"]),
        (
            9,
            lambda m: m.node("Upsample", "x", m.constant(np.array([1, 1, 2, 2], np.float32))),
            None,
        ),
        (10, _scaled(2, 1), ["upsample"]),
        (10, _scaled(0.5, 0.5), ["slice"]),
        (13, _scaled(2, 2, **ASYMMETRIC), ["upsample"]),
        (13, _scaled(3, 2), ["upsample"]),
        (13, _scaled(2, 2, coordinate_transformation_mode="asymmetric"), None),
        (13, _scaled(4, 4, nearest_mode="round_prefer_ceil"), ["upsample"]),
        (13, _scaled(2, 2, **LINEAR), ["upsample_bilinear"]),
        (
            13,
            _scaled(2, 2, mode="linear", coordinate_transformation_mode="pytorch_half_pixel"),
            ["upsample_bilinear"],
        ),
        (13, _sized(1, 3, 8, 12), ["upsample"]),
        (13, _sized(1, 3, 2, 3, **ASYMMETRIC), ["slice"]),
        (13, _sized_by_shape, ["max_pool", "upsample"]),
        (
            18,
            lambda m: m.node(
                "Resize", "x", "", m.constant(np.array([2, 3], np.float32)), axes=[2, -1]
            ),
            ["upsample"],
        ),
        (
            19,
            _scaled(2, 2, coordinate_transformation_mode="half_pixel_symmetric", mode="linear"),
            ["upsample_bilinear"],
        ),
    ],
)
def test_sizes(tmp_path: Path, opset: int, write: Write, names: list[str] | None) -> None:
    found = operators_of(tmp_path, IMAGE, write, opset)
    assert names is None or found == names


@pytest.mark.parametrize(
    ("write", "text"),
    [
        (
            _scaled(1.5, 1.5),
            "Resize 'n0': pixels must be repeated a whole number of times, not 4x6 to 6x9 "
            "(nearest: Resize by a whole factor, nearest)",
        ),
        (
            _scaled(3, 3, **LINEAR),
            "Resize 'n0': bilinear interpolation must be to twice the size, not 4x6 to 12x18 "
            "by 3 and 3 "
            "(nearest: Resize by 2, one after another)",
        ),
        (
            _scaled(2, 2.125, **LINEAR),
            "Resize 'n0': bilinear interpolation must be to twice the size, not 4x6 to 8x12 "
            "by 2 and 2.125 (nearest: Resize by 2, one after another)",
        ),
        (
            _scaled(2, 2, mode="linear", coordinate_transformation_mode="align_corners"),
            "Resize 'n0': mode linear with align_corners is not computed "
            "(nearest: Resize with mode nearest, or linear by 2 with half_pixel)",
        ),
        (
            _scaled(2, 2, mode="cubic"),
            "Resize 'n0': mode cubic with half_pixel is not computed "
            "(nearest: Resize with mode nearest, or linear by 2 with half_pixel)",
        ),
        (
            _sized(1, 6, 8, 12),
            "Resize 'n0': it must resize height and width alone, not by [1, 6, 8, 12] "
            "along [0, 1, 2, 3]",
        ),
        (
            _scaled(1e9, 2),
            "Resize 'n0': scales must be above 0 and at most 65536",
        ),
        (
            _scaled(-1, 2),
            "Resize 'n0': scales must be above 0 and at most 65536",
        ),
        (
            _sized(1, 3, 1 << 40, 6),
            "Resize 'n0': its result must be 1 to 65536 high and wide, not (1099511627776, 6)",
        ),
    ],
)
def test_what_is_refused(tmp_path: Path, write: Write, text: str) -> None:
    assert refusal(tmp_path, IMAGE, write, 13) == text


#: Wholes, parts, and what gives a whole size but is none.
SCALES = st.sampled_from([0.1, 0.25, 0.3, 1 / 3, 0.4, 0.5, 0.75, 1, 1.1, 1.5, 2, 2.1, 2.3, 3, 4])


@given(
    st.sampled_from([10, 11, 13, 19]),
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.tuples(SCALES, SCALES),
    st.sampled_from(
        ["align_corners", "asymmetric", "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel"]
    ),
    st.sampled_from(["linear", "floor", "ceil", "round_prefer_floor", "round_prefer_ceil"]),
)
def test_any_scale_is_refused_or_means_what_onnx_runtime_says(
    tmp_path_factory: pytest.TempPathFactory,
    opset: int,
    size: tuple[int, int],
    scales: tuple[float, float],
    coordinates: str,
    kind: str,
) -> None:
    attributes: dict[str, object] = {"mode": "linear" if kind == "linear" else "nearest"}
    if opset > 10:
        attributes["coordinate_transformation_mode"] = coordinates
        attributes["nearest_mode"] = "floor" if kind == "linear" else kind
    model = Model((2, *size), opset)
    _scaled(*scales, **attributes)(model)
    whole = opset > 10 and all(scale in (1, 2, 3) for scale in scales)
    try:
        graph = load_onnx(model.save(tmp_path_factory.mktemp("resize")))  # compares every value
    except ModelError:
        assert not (whole and (coordinates, kind) == ("asymmetric", "floor"))
    else:
        resized = tuple(math.floor(n * scale) for n, scale in zip(size, scales, strict=True))
        assert graph.types[graph.outputs[0]].shape[:2] == resized
