# SPDX-License-Identifier: Apache-2.0
"""Random networks on random arrays in Verilator: every bit, and every instruction's cycle."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings

from intaglio.rtl.array_bundle import emit_array
from intaglio.tools.array_simulation import simulate_array
from tests.arch.systolic.networks import Case, cases

#: Each has one to eight layers and is run with three memories, so that `make test` proves about a
#: hundred layers on arrays; the nightly profile proves some thousands.
EXAMPLES = max(8, settings.default.max_examples // 12)  # type: ignore[union-attr]


@settings(max_examples=EXAMPLES)
@given(case=cases())
def test_bits_and_cycles_are_those_foretold(case: Case, tmp_path_factory: object) -> None:
    folder: Path = tmp_path_factory.mktemp("array")  # type: ignore[attr-defined]
    bundle = emit_array(case.design, folder / "bundle")
    for memory in case.memories:
        run = simulate_array(
            bundle,
            case.design,
            case.frames,
            memory=memory,
            runtime=folder.parent / "verilator_runtime",
            optimize="-O0",
            progress=False,
        )
        assert run.bit_mismatches == run.cycle_mismatches == 0
        assert run.latency_simulated == run.latency_predicted > 0
