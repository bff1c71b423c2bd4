# SPDX-License-Identifier: Apache-2.0
"""hls4ml's emulation of LeNet-5, compiled by g++, in 16-bit fixed point.

Read by its front end for torch: that for ONNX refuses average pooling.

peer_hls4ml.py IMAGES.npy WORK
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import hls4ml
import numpy as np
from serve import seconds, serve
from torch import nn

PRECISION = "ap_fixed<16,6>"
FRAME = (1, 28, 28)


def main() -> None:
    """Convert and compile once, then answer."""
    images, work = np.load(sys.argv[1]), Path(sys.argv[2])
    config = hls4ml.utils.config.config_from_pytorch_model(
        lenet5(), FRAME, granularity="name", backend="Vitis", default_precision=PRECISION
    )
    emulation = hls4ml.converters.convert_from_pytorch_model(
        lenet5(), output_dir=str(work), io_type="io_stream", backend="Vitis", hls_config=config
    )
    started = time.perf_counter()
    emulation.compile()
    compiled = time.perf_counter() - started
    frames = np.ascontiguousarray(images.transpose(0, 2, 3, 1))

    def run(batch: int, times: int) -> float:
        return seconds(lambda: emulation.predict(frames[:batch]), times)

    serve({"run": run}, ("hls4ml", "torch"), compile_seconds=round(compiled, 2))


def lenet5() -> nn.Module:
    """The network of `networks.lenet5`; speed does not depend on its weights."""
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.AvgPool2d(2)),
        *(nn.Conv2d(16, 120, 5), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    ).eval()


if __name__ == "__main__":
    main()
