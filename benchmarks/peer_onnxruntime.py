# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime's int8 model of a float one, made by its own static quantization, on one thread.

peer_onnxruntime.py MODEL IMAGES.npy WORK
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from serve import seconds, serve

#: Images given to the calibration at a time.
BATCH = 64


class Reader(CalibrationDataReader):  # type: ignore[misc]
    """Calibration images, a batch at a time."""

    def __init__(self, images: np.ndarray) -> None:
        self.parts = iter(np.array_split(images, max(1, len(images) // BATCH)))

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return the next batch, or None at the end."""
        part = next(self.parts, None)
        return None if part is None else {"x": part}


def main() -> None:
    """Quantize once, then answer."""
    logging.disable(logging.WARNING)
    source, images, work = Path(sys.argv[1]), np.load(sys.argv[2]), Path(sys.argv[3])
    prepared, quantized = work / "prepared.onnx", work / "int8.onnx"
    quant_pre_process(str(source), str(prepared))

    def calibrate(count: int, per_channel: bool = True) -> None:
        quantize_static(
            str(prepared),
            str(quantized),
            Reader(images[:count]),
            quant_format=QuantFormat.QDQ,
            per_channel=per_channel,
        )

    calibrate(min(512, len(images)))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        str(quantized), options, providers=["CPUExecutionProvider"]
    )

    def run(batch: int, times: int) -> float:
        feed: dict[str, Any] = {"x": images[:batch]}
        return seconds(lambda: session.run(None, feed), times)

    def calibration(count: int, times: int) -> float:
        return seconds(lambda: calibrate(count), times)

    serve({"run": run, "calibration": calibration}, ("onnxruntime", "onnx"))


if __name__ == "__main__":
    main()
