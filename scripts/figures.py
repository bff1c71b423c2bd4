# SPDX-License-Identifier: Apache-2.0
"""Write the figures of the demo into the README, between their marks.

.venv/bin/python scripts/figures.py [build/demo/summary.json]
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

README = Path(__file__).resolve().parents[1] / "README.md"
BEGIN, END = "<!-- figures of build/demo/summary.json -->", "<!-- end of figures -->"
ROWS = {
    "accuracy on {test_images} test images, float": "{float_accuracy:.2%}",
    "accuracy of the integers (int8)": "{integer_accuracy:.2%}",
    "images through Verilator": "{images_simulated}",
    "output bits different": "{bit_mismatches}",
    "cycles a frame, predicted": "{cycles_predicted:,}",
    "cycles a frame, simulated": "{cycles_simulated:,}",
    "latency of a frame in cycles, predicted": "{latency_predicted:,}",
    "latency of a frame in cycles, simulated": "{latency_simulated:,}",
    "multipliers at work on the network": "{multipliers}",
    "of their cycles useful, at the bottleneck": "{multiplier_busy:.1%}",
    "LUT placed (predicted {lut_predicted:,})": "{lut:,}",
    "DSP placed (predicted {dsp_predicted})": "{dsp}",
    "block RAM placed (predicted {bram_predicted})": "{bram}",
    "clock after place and route": "{fmax_mhz:.1f} MHz",
    "frames a second at that clock": "{fps:,.0f}",
    "seconds, all stages": "{total:.0f}",
}


class Missing:
    """Stands for a figure of a stage that was not run."""

    def __format__(self, how: str) -> str:
        return "-"


class Figures(dict[str, Any]):
    def __missing__(self, name: str) -> Missing:
        return Missing()


def main() -> int:
    source = Path(sys.argv[1] if len(sys.argv) > 1 else "build/demo/summary.json")
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    rows = table(json.loads(source.read_text(encoding="utf-8")))
    README.write_text(f"{before}{BEGIN}\n{rows}\n{END}{after}", encoding="utf-8")
    return 0


def table(summary: Mapping[str, Any]) -> str:
    """Print the figures as Markdown; a stage that was not run has dashes."""
    figures = Figures(summary, total=sum(summary["seconds"].values()))
    lines = [f"| LeNet-5, {summary['data']}, {summary['device']} | |", "|---|---:|"]
    lines += [
        f"| {name.format_map(figures)} | {value.format_map(figures)} |"
        for name, value in ROWS.items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
