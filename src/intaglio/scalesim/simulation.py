# SPDX-License-Identifier: Apache-2.0
"""A network on a machine as SCALE-Sim 3.0.0 sees it: the same numbers, in closed form."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from intaglio.scalesim.config import Config, read_config
from intaglio.scalesim.fields import read_text
from intaglio.scalesim.report import Row, report_files
from intaglio.scalesim.topology import Layer, read_topology

#: After how long progress is shown.
BAR_SECONDS = 2.0


@dataclass(frozen=True)
class ScaleSimReport:
    """The numbers of every layer, in the order of the topology."""

    config: Config
    rows: tuple[Row, ...]

    @property
    def total_cycles(self) -> int:
        """Cycles of all layers, stalls among them, without the first prefetch."""
        return sum(row.total_cycles for row in self.rows)

    @property
    def files(self) -> dict[str, str]:
        """The text of each report by its file's name."""
        return report_files(self.rows, self.config.storage)


def scalesim(
    config: str | Path,
    topology: str | Path,
    *,
    kind: str = "conv",
    layout: str | Path | None = None,
    output: str | Path | None = None,
    traces: bool = False,
) -> ScaleSimReport:
    """Do what SCALE-Sim 3.0.0 does, and get the same numbers.

    Args:
        config: a `.cfg` file.
        topology: a CSV file of layers.
        kind: what the layers are: conv or gemm.
        layout: a CSV file, which must be there where it is given; nothing in it is used.
        output: folder that gets a folder of the run's name with the reports; None writes nothing.
        traces: also write the traces of the SRAMs and of the output's DRAM; needs `output`.

    Exactness: all numbers are equal, floats to the last digit, and all files byte for byte.

    Raises:
        ModelError: a file cannot be used; the text names it, the line and the field.
    """
    machine, layers = read_config(config), read_topology(topology, kind)
    if layout is not None:
        read_text(Path(layout), "a layout")
    found = ScaleSimReport(machine, tuple(_rows(layers, machine)))
    if output is not None:
        from intaglio.scalesim.folder import write_folder

        folder = Path(output) / machine.run_name
        write_folder(folder, found.files, machine, layers if traces else ())
    return found


def _rows(layers: tuple[Layer, ...], config: Config) -> Iterator[Row]:
    """Run the layers; equal ones once."""
    from intaglio.scalesim.layer_run import run_layer

    known: dict[Layer, Row] = {}
    for layer in _shown(layers):
        shape = replace(layer, name="")
        if shape not in known:
            known[shape] = run_layer(layer, config)
        yield replace(known[shape], name=layer.name)


def _shown(layers: tuple[Layer, ...]) -> Iterator[Layer]:
    """Return the layers, with a bar of progress from two seconds on: one takes longer than most."""
    started = time.monotonic()
    for done, layer in enumerate(layers, 1):
        yield layer
        if done < len(layers) and time.monotonic() - started > BAR_SECONDS:
            yield from tqdm(
                layers[done:], "scalesim", len(layers), initial=done, leave=False, unit="layer"
            )
            return
