# SPDX-License-Identifier: Apache-2.0
"""What the commands before the one under test have written, made once a module."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.tiny import intaglio, write_data, write_model


@dataclass(frozen=True)
class Made:
    """Files of the small network, each by the command that writes it."""

    folder: Path

    @property
    def model(self) -> Path:
        return self.folder / "tiny.onnx"

    @property
    def data(self) -> Path:
        return self.folder / "data.npz"

    @property
    def program(self) -> Path:
        return self.folder / "tiny.program"

    @property
    def design(self) -> Path:
        return self.folder / "tiny.design"

    @property
    def bundle(self) -> Path:
        return self.folder / "bundle"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    made = Made(tmp_path_factory.mktemp("made"))
    write_model(made.model)
    write_data(made.data)
    assert intaglio("quantize", made.model, "--calibration", made.data) == 0
    assert intaglio("explore", made.program, "--device", "ecp5-25f") == 0
    assert intaglio("emit", made.design, "-o", made.bundle, "--data", made.data) == 0
    return made
