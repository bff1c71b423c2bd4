# SPDX-License-Identifier: Apache-2.0
"""A written model run by ONNX Runtime, and its results as codes beside the program's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from intaglio.errors import VerificationError
from intaglio.export.reals.write import result_names
from intaglio.ir.execute import trace
from intaglio.ir.graph import Program

#: Frames that a written model is compared on.
FRAMES = 8
#: Where float32 rounds, codes near a tie come out one off, and layers behind pass that on. Results
#: that are off on average by this part of their own spread are another network's.
ALLOWED = 2.0**-4
_QUIET = 3


def compare(program: Program, model: bytes, inexact: Sequence[str]) -> tuple[str, ...]:
    """Run random frames, and say how far results are from the program's.

    Args:
        program: what the model was written from.
        model: the file's contents.
        inexact: the nodes at which float32 may round; if there are none, nothing may differ.

    Raises:
        VerificationError: results differ that must not.
    """
    frames = random_frames(program)
    wanted = trace(program.graph, frames)
    total, differing, farthest = 0, 0, 0
    for name, codes in run(program, model, frames).items():
        exact = wanted[name].astype(np.int64)
        off = np.abs(codes - exact)
        spread = max(1.0, float(np.abs(exact - exact.mean()).mean()))
        if off.any() and (not inexact or off.mean() > max(1.0, ALLOWED * spread)):
            raise VerificationError(
                f"result {name!r} of the written model must be the program's, "
                f"not up to {off.max()} codes from it"
            )
        total, differing = total + off.size, differing + int(np.count_nonzero(off))
        farthest = max(farthest, int(off.max()))
    if not inexact:
        return ("exact: in float32 nothing is rounded, so results are the program's bit for bit",)
    where = f"float32 may round at {len(inexact)} nodes: on {FRAMES} random frames"
    if not differing:
        return (f"{where} all {total} results are the program's",)
    return (f"{where} {differing} of {total} results are not the program's, {farthest} codes off",)


def random_frames(program: Program) -> dict[str, np.ndarray]:
    """Return random codes of each input, the same at every call."""
    random = np.random.default_rng(0)
    return {
        value.name: random.integers(
            value.type.integer.min,
            value.type.integer.max,
            (FRAMES, *value.type.shape),
            endpoint=True,
        )
        for value in program.graph.inputs
    }


def run(program: Program, model: bytes, frames: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Run a model on the reals that integer frames stand for, and return its results as codes."""
    session = _session(model)
    feeds = {}
    for name, codes in frames.items():
        reals = program.quantization[name].dequantize(codes).astype(np.float32)
        feeds[name] = np.moveaxis(reals, -1, 1) if _turned(program, reals) else reals
    found = {}
    names = result_names(program)
    for name, reals in zip(names, session.run(list(names.values()), feeds), strict=True):
        ours = np.moveaxis(reals, 1, -1) if _turned(program, reals) else reals
        how = program.quantization[name]
        steps = ours.astype(np.float64) / np.asarray(how.scale)
        found[name] = np.rint(steps + how.zero_point).astype(np.int64)
    return found


def _turned(program: Program, batch: np.ndarray) -> bool:
    return program.graph.channels_first and batch.ndim == 4


def _session(model: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _QUIET
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
