# SPDX-License-Identifier: Apache-2.0
"""Published arithmetic by its corner values, and whole networks against loops over the formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest

from intaglio.errors import QuantizationError
from intaglio.ir.execute import trace
from intaglio.quantize.published_lenet5 import (
    FPGAI,
    LENET5_PUBLISHED,
    PROFILES,
    SHAPES,
    Profile,
    fraction,
    pixels,
    published_lenet5,
    tensor,
)

Parameters = dict[str, tuple[np.ndarray, np.ndarray]]


def parameters(seed: int = 0) -> Parameters:
    random = np.random.default_rng(seed)
    made = {}
    for name, shape in SHAPES.items():
        size = math.prod(shape[1:]) ** -0.5
        made[name] = (random.normal(0, size, shape), random.normal(0, 0.1, shape[0]))
    return {name: (w.astype(np.float32), b.astype(np.float32)) for name, (w, b) in made.items()}


@pytest.mark.parametrize(
    ("scale", "found"),
    [
        (0.0061, (25, 12)),
        (0.0040, (131, 15)),
        (0.0014, (23, 14)),
        (0.0016, (13, 13)),
        (0.0031, (51, 14)),
    ],
)
def test_scales_are_the_published_fractions(scale: float, found: tuple[int, int]) -> None:
    assert fraction(scale) == found


def test_the_ancestors_fractions_have_8_bits_and_longer_shifts() -> None:
    assert fraction(0.0040, FPGAI) == (131, 15)
    assert fraction(0.0061, FPGAI) == (25, 12)  # 200 / 2^15 is the same
    assert fraction(0.0101) == (331, 15)
    assert fraction(0.0101, FPGAI) == (165, 14)
    assert fraction(2.0**-20, FPGAI) == (1, 20)
    assert fraction(2.0**-20) == (0, 0)


def test_the_zero_point_is_truncated_and_codes_are_clipped() -> None:
    found = tensor(np.array([-100, 0, 50, 51.5, 155]) / 128)
    assert (found.scale, found.zero) == (1 / 128, 100)
    assert found.codes.tolist() == [0, 100, 150, 152, 255]
    uneven = tensor(np.array([-99.75, 155.25]) / 128)
    assert (uneven.zero, uneven.codes.tolist()) == (99, [0, 254])
    assert tensor(np.array([1.0, 3.0])).zero == 0


def test_pixels_are_truncated() -> None:
    image = np.full((1, 28, 28), 0.999, np.float32)
    assert pixels(image).max() == 254
    every = (np.arange(784) % 256 / np.float32(255)).astype(np.float32)
    assert np.array_equal(pixels(every.reshape(1, 28, 28)).ravel(), np.arange(784) % 256)


def loops(given: Parameters, profile: Profile, x: np.ndarray) -> np.ndarray:
    """The formulas, one after the other, in Python's integers where they matter."""
    for name, (weight, bias) in given.items():
        found = tensor(weight)
        m, n = fraction(found.scale, profile)
        b = np.array([round(float(profile.bias_gain * float(v) / (m / 2**n))) for v in bias])
        w = found.codes - found.zero
        if w.ndim == 4:
            if name == "C1":
                x = np.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)))
            r, s = w.shape[1:3]
            rows, columns = x.shape[1] - r + 1, x.shape[2] - s + 1
            sums = np.zeros((len(x), rows, columns, len(w)), np.int64)
            for i in range(r):
                for j in range(s):
                    part = x[:, i : i + rows, j : j + columns]
                    sums += np.einsum("nhwc,kc->nhwk", part, w[:, i, j])
        else:
            x = x.reshape(len(x), -1)
            sums = np.einsum("nc,kc->nk", x, w)
        x = (sums + b) * m >> n
        if name in ("C1", "C3") or (profile is FPGAI and name in ("C5", "F6")):
            x = np.maximum(x, 0)
            if profile is FPGAI:
                x = np.minimum(x, 255)
        if name in ("C1", "C3"):
            split = x.reshape(len(x), x.shape[1] // 2, 2, x.shape[2] // 2, 2, -1)
            x = np.rint(split.astype(np.float64).mean(axis=(2, 4))).astype(np.int64)
    return x


@pytest.mark.parametrize("profile", list(PROFILES.values()), ids=list(PROFILES))
def test_a_network_is_computed_as_published(profile: Profile) -> None:
    given = parameters()
    images = np.random.default_rng(1).random((4, 28, 28)).astype(np.float32)
    program = published_lenet5(given, profile)
    found = trace(program.graph, {"image": pixels(images)})["OUTPUT"]
    assert np.array_equal(found, loops(given, profile, pixels(images)))


def test_activations_are_8_bits_in_the_ancestor_alone() -> None:
    wide, narrow = (published_lenet5(parameters(), p) for p in (LENET5_PUBLISHED, FPGAI))
    assert str(narrow.graph.types["C5"].element) == "u8"
    assert wide.graph.types["C5"].integer.width > 8
    assert wide.graph.types["C5"].integer.signed


def test_what_has_no_published_integers_is_refused() -> None:
    given = parameters()
    with pytest.raises(QuantizationError, match=r"layer F6 must have weights of shape \(84, 120\)"):
        published_lenet5({name: given[name] for name in ("C1", "C3", "C5")})
    with pytest.raises(QuantizationError, match="weights must differ to have a published scale"):
        tensor(np.ones(3))
    tiny = {**given, "F6": (given["F6"][0] * 1e-6, given["F6"][1])}
    with pytest.raises(QuantizationError, match="layer F6 must have weights that M / 2"):
        published_lenet5(tiny)
