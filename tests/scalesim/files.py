# SPDX-License-Identifier: Apache-2.0
"""The tool's files for a tiny run."""

from __future__ import annotations

from pathlib import Path

CONFIG = """\
[general]
run_name = tiny

[architecture_presets]
ArrayHeight: 3
ArrayWidth: 2
IfmapSramSzkB: 1
FilterSramSzkB: 1
OfmapSramSzkB: 1
IfmapOffset: 0
FilterOffset: 10000000
OfmapOffset: 20000000
Bandwidth : 10
Dataflow : os
ReadRequestBuffer: 32
WriteRequestBuffer: 32

[layout]
IfmapCustomLayout: False
IfmapSRAMBankBandwidth: 10
IfmapSRAMBankNum: 1
IfmapSRAMBankPort: 2
FilterCustomLayout: False
FilterSRAMBankBandwidth: 10
FilterSRAMBankNum: 1
FilterSRAMBankPort: 2

[sparsity]
SparsitySupport : false
SparseRep : ellpack_block
OptimizedMapping : false
BlockSize : 8
RandomNumberGeneratorSeed : 40

[run_presets]
InterfaceBandwidth: CALC
UseRamulatorTrace: False
"""
TOPOLOGY = "name,H,W,h,w,C,F,s,\nl1,3,3,2,2,1,3,1,\n"


def write_files(folder: Path, *changes: tuple[str, str], topology: str = TOPOLOGY) -> list[Path]:
    """Write a configuration, with texts of it replaced, and a topology."""
    text = CONFIG
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    paths = [folder / "tiny.cfg", folder / "tiny.csv"]
    for path, content in zip(paths, (text, topology), strict=True):
        path.write_text(content)
    return paths
