# SPDX-License-Identifier: Apache-2.0
"""The public names, exactly, and what importing them costs."""

from __future__ import annotations

import subprocess
import sys

import intaglio

PUBLIC = [
    "Array",
    "ArrayDesign",
    "ArrayExploration",
    "ArtifactError",
    "Bundle",
    "Dataflow",
    "Design",
    "Device",
    "Engine",
    "Evaluation",
    "Exploration",
    "Exported",
    "Graph",
    "InfeasibleError",
    "IntaglioError",
    "Memory",
    "MissingToolError",
    "ModelError",
    "Prediction",
    "Program",
    "QuantizationError",
    "Report",
    "Run",
    "ScaleSimReport",
    "Scheme",
    "Stalls",
    "Sweep",
    "ToolError",
    "VerificationError",
    "device",
    "emit",
    "engine",
    "evaluate",
    "explore",
    "explore_array",
    "export",
    "load",
    "predict",
    "quantize",
    "report",
    "scalesim",
    "simulate",
    "sweep",
    "synthesize",
]
#: Imported late, where they are needed; the last ones come with others.
LATE = {"torch", "onnx", "onnxruntime", "matplotlib", "numba", "sklearn", "scipy", "onnxscript"}
LATE |= {"llvmlite", "google"}


def loaded_by(statement: str) -> set[str]:
    """Run a statement in a fresh process and return the packages it has loaded."""
    program = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return set(done.stdout.split())


def test_the_public_names_are_these() -> None:
    assert sorted(intaglio.__all__) == sorted(PUBLIC)
    assert all(hasattr(intaglio, name) for name in intaglio.__all__)


def test_importing_the_package_loads_no_framework() -> None:
    found = loaded_by("import intaglio")
    assert {"intaglio", "numpy"} <= found
    assert not LATE & found


def test_neither_does_the_command_line() -> None:
    found = loaded_by("import intaglio.cli\nintaglio.cli.parser()")
    assert "intaglio" in found
    assert not LATE & found
