# SPDX-License-Identifier: Apache-2.0
"""Configurations and topologies for SCALE-Sim: networks to time, and random ones to compare."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

#: A layer: height, width, filter height and width, channels, filters, stride; or M, N, K.
Sizes = tuple[int, ...]

RESNET18: tuple[Sizes, ...] = (
    (224, 224, 7, 7, 3, 64, 2),
    *((56, 56, 3, 3, 64, 64, 1) for _ in range(4)),
    *(
        layer
        for size, channels in ((56, 64), (28, 128), (14, 256))
        for layer in (
            (size, size, 3, 3, channels, 2 * channels, 2),
            *((size // 2, size // 2, 3, 3, 2 * channels, 2 * channels, 1) for _ in range(3)),
            (size, size, 1, 1, channels, 2 * channels, 2),
        )
    ),
    (1, 1, 1, 1, 512, 1000, 1),
)
#: As the tool's own topologies have them, without padding.
NETWORKS: Mapping[str, Sequence[Sizes]] = {
    "lenet5": (
        (32, 32, 5, 5, 1, 6, 1),
        (14, 14, 5, 5, 6, 16, 1),
        (5, 5, 5, 5, 16, 120, 1),
        (1, 1, 1, 1, 120, 84, 1),
        (1, 1, 1, 1, 84, 10, 1),
    ),
    "alexnet": (
        (227, 227, 11, 11, 3, 96, 4),
        (27, 27, 5, 5, 96, 256, 1),
        (13, 13, 3, 3, 256, 384, 1),
        (13, 13, 3, 3, 384, 384, 1),
        (13, 13, 3, 3, 384, 256, 1),
    ),
    "resnet18": RESNET18,
    "flownets": (  # its encoder, with padding
        (390, 518, 7, 7, 6, 64, 2),
        (196, 260, 5, 5, 64, 128, 2),
        (100, 132, 5, 5, 128, 256, 2),
        (50, 66, 3, 3, 256, 256, 1),
        (50, 66, 3, 3, 256, 512, 2),
        (26, 34, 3, 3, 512, 512, 1),
        (26, 34, 3, 3, 512, 512, 2),
        (14, 18, 3, 3, 512, 512, 1),
        (14, 18, 3, 3, 512, 1024, 2),
        (8, 10, 3, 3, 1024, 1024, 1),
    ),
}
DATAFLOWS = ("os", "ws", "is")


@dataclass(frozen=True)
class Case:
    """A run: layers, each with a ratio of what is kept, on a machine."""

    layers: Sequence[Sizes]
    dataflow: str
    array: tuple[int, int]
    gemm: bool = False
    buffers: tuple[int, int, int] = (64, 64, 64)
    bandwidths: tuple[int, int, int] | None = None
    sparse: str = ""
    ratios: Sequence[str] = field(default=())

    def write(self, folder: Path) -> dict[str, str]:
        """Write the files of a run; return the arguments that name them."""
        folder.mkdir(parents=True, exist_ok=True)
        files = {
            "config": self._config(),
            "topology": self._topology(),
            "layout": "layer,\n",
        }
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        return {name: str(folder / name) for name in files}

    def _config(self) -> str:
        ifmap, filters, ofmap = self.bandwidths or (10, 10, 10)
        return "\n".join(
            (
                "[general]",
                "run_name = run",
                "[architecture_presets]",
                f"ArrayHeight = {self.array[0]}",
                f"ArrayWidth = {self.array[1]}",
                f"IfmapSramSzkB = {self.buffers[0]}",
                f"FilterSramSzkB = {self.buffers[1]}",
                f"OfmapSramSzkB = {self.buffers[2]}",
                "IfmapOffset = 0",
                "FilterOffset = 10000000",
                "OfmapOffset = 20000000",
                f"Bandwidth = {ofmap}",
                f"Dataflow = {self.dataflow}",
                "ReadRequestBuffer = 32",
                "WriteRequestBuffer = 32",
                "[layout]",
                "IfmapCustomLayout = False",
                f"IfmapSRAMBankBandwidth = {ifmap}",
                "IfmapSRAMBankNum = 1",
                "IfmapSRAMBankPort = 2",
                "FilterCustomLayout = False",
                f"FilterSRAMBankBandwidth = {filters}",
                "FilterSRAMBankNum = 1",
                "FilterSRAMBankPort = 2",
                "[sparsity]",
                f"SparsitySupport = {'true' if self.sparse else 'false'}",
                f"SparseRep = {self.sparse or 'ellpack_block'}",
                "OptimizedMapping = false",
                "BlockSize = 8",
                "RandomNumberGeneratorSeed = 40",
                "[run_presets]",
                f"InterfaceBandwidth = {'USER' if self.bandwidths else 'CALC'}",
                "UseRamulatorTrace = False",
                "",
            )
        )

    def _topology(self) -> str:
        lines = ["name, sizes,"]
        for number, sizes in enumerate(self.layers):
            ratio = [self.ratios[number]] if self.ratios else []
            lines.append(",".join([f"layer{number}", *map(str, sizes), *ratio, ""]))
        return "\n".join([*lines, ""])


def random_case(seed: int) -> Case:
    """Return a small run, the same for a seed: half of them with given bandwidths."""
    draw = random.Random(seed)  # noqa: S311 no secret
    gemm = draw.random() < 0.2
    sparse = draw.choice(("csr", "csc", "ellpack_block")) if draw.random() < 0.2 else ""
    layers = [_random_gemm(draw) if gemm else _random_conv(draw) for _ in range(2)]
    user = draw.random() < 0.5
    bandwidth = (1, 2, 3, 5, 8, 16, 33, 64, 200, 700)
    return Case(
        layers=layers,
        dataflow=draw.choice(DATAFLOWS),
        array=(draw.choice((1, 2, 3, 5, 8, 16, 24)), draw.choice((1, 2, 3, 5, 8, 16, 24))),
        gemm=gemm,
        buffers=(draw.randint(1, 3), draw.randint(1, 3), draw.randint(1, 3)),
        bandwidths=(draw.choice(bandwidth), draw.choice(bandwidth), draw.choice(bandwidth))
        if user
        else None,
        sparse=sparse,
        ratios=[draw.choice(("1:2", "2:4", "3:4", "1:8", "4:4")) for _ in layers] if sparse else (),
    )


def _random_conv(draw: random.Random) -> Sizes:
    height, width = draw.randint(1, 16), draw.randint(1, 16)
    rows, columns = draw.randint(1, min(height, 5)), draw.randint(1, min(width, 5))
    channels = draw.choice((1, 2, 3, 4, 6, 8, 12, 16))
    return (height, width, rows, columns, channels, draw.randint(1, 24), draw.randint(1, 3))


def _random_gemm(draw: random.Random) -> Sizes:
    return (draw.randint(1, 48), draw.randint(1, 48), draw.randint(1, 96))
