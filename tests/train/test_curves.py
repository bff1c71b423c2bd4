# SPDX-License-Identifier: Apache-2.0
"""The picture of a training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from intaglio.train.curves import draw_curves


def test_a_history_becomes_a_picture_with_a_curve_for_each_figure(tmp_path: Path) -> None:
    history = [{"epoch": n, "loss": 1 / n, "accuracy": 1 - 1 / n} for n in (1.0, 2.0, 3.0)]
    draw_curves(tmp_path / "both.png", "a title", history)
    draw_curves(tmp_path / "one.png", "a title", [{"epoch": 1.0, "loss": 2.0}])
    for name in ("both.png", "one.png"):
        with Image.open(tmp_path / name) as image:
            assert image.format == "PNG"
            assert image.size == (800, 350)
            assert len(np.unique(np.asarray(image.convert("L")))) > 10
    assert (tmp_path / "both.png").read_bytes() != (tmp_path / "one.png").read_bytes()
