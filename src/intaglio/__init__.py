# SPDX-License-Identifier: Apache-2.0
"""Intaglio engraves integer networks in FPGA fabric.

import intaglio as ig

graph = ig.load("lenet5.onnx")
program = ig.quantize(graph, images, ig.Scheme.named("int8"))
design = ig.explore(program, ig.device("ecp5-85f")).best
bundle = ig.emit(design, "build/lenet5")
print(ig.simulate(bundle, images[:16]))
"""

from __future__ import annotations

from intaglio.engine import Engine, engine
from intaglio.errors import (
    ArtifactError,
    InfeasibleError,
    IntaglioError,
    MissingToolError,
    ModelError,
    QuantizationError,
    ToolError,
    VerificationError,
)
from intaglio.flow import (
    Array,
    ArrayDesign,
    ArrayExploration,
    Bundle,
    Dataflow,
    Design,
    Device,
    Evaluation,
    Exploration,
    Exported,
    Graph,
    Memory,
    Prediction,
    Program,
    Report,
    Run,
    ScaleSimReport,
    Scheme,
    Stalls,
    Sweep,
    device,
    emit,
    evaluate,
    explore,
    explore_array,
    export,
    load,
    predict,
    quantize,
    report,
    scalesim,
    simulate,
    sweep,
    synthesize,
)

__all__ = [
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
