# SPDX-License-Identifier: Apache-2.0
"""Configurations: what may be left out, and what is said of what cannot be used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from intaglio.errors import ModelError
from intaglio.scalesim.config import read_config
from tests.scalesim.files import write_files
from tests.scalesim.layers import TINY

LEAST = """\
[architecture_presets]
arrayheight = 3
ARRAYWIDTH = 2
; in units of 1024 words
IfmapSramSzkB = 1
FilterSramSzkB = 1
OfmapSramSzkB = 1
Dataflow = os
"""


def test_a_whole_configuration(tmp_path: Path) -> None:
    path, _ = write_files(tmp_path)
    assert read_config(path) == TINY


def test_what_may_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "least.cfg"
    path.write_text(LEAST)
    assert read_config(path) == replace(TINY, run_name="scale_run")


def test_given_bandwidths_are_those_of_the_banks(tmp_path: Path) -> None:
    path, _ = write_files(
        tmp_path,
        ("InterfaceBandwidth: CALC", "InterfaceBandwidth: USER"),
        ("IfmapSRAMBankBandwidth: 10", "IfmapSRAMBankBandwidth: 12"),
        ("IfmapSRAMBankNum: 1", "IfmapSRAMBankNum: 4"),
        ("Bandwidth : 10", "Bandwidth : 7, 8, 9"),
    )
    expected = replace(TINY, user=True, ifmap_bandwidth=12, ofmap_bandwidth=7)
    assert read_config(path) == expected


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("Dataflow : os", "Dataflow : rs"), ":14: Dataflow must be one of os, ws, is, not 'rs'"),
        (("ArrayHeight: 3", "ArrayHeight: 0"),
         ":5: ArrayHeight must be a whole number from 1 to 65536, not '0'"),
        (("ArrayHeight: 3", "ArrayHeight: 99999999999999999999999"),
         ":5: ArrayHeight must be a whole number from 1 to 65536, not '99999999999999999999999'"),
        (("OfmapSramSzkB: 1", "OfmapSramSzkB: 0"),
         ":9: OfmapSramSzkB must be a whole number from 1 to 2097152, not '0'"),
        (("IfmapOffset: 0", "IfmapOffset: x"),
         ":10: IfmapOffset must be a whole number from 0 to 1099511627776, not 'x'"),
        (("IfmapCustomLayout: False", "IfmapCustomLayout: True"),
         ":19: IfmapCustomLayout must be False, not True: custom layouts are not modeled"),
        (("UseRamulatorTrace: False", "UseRamulatorTrace: True"),
         ":37: UseRamulatorTrace must be False, not True: latencies of Ramulator are not modeled"),
        (("OptimizedMapping : false", "OptimizedMapping : true"),
         ":31: OptimizedMapping must be False, not True: only layer-wise sparsity is modeled"),
        (("SparsitySupport : false", "SparsitySupport : yes"),
         ":29: SparsitySupport must be True or False, not 'yes'"),
        (("CALC", "GUESS"), ":36: InterfaceBandwidth must be one of CALC, USER, not 'GUESS'"),
        (("run_name = tiny", "run_name = ../up"),
         ":2: run_name must be the name of a folder, not '../up'"),
        (("ArrayWidth: 2\n", ""), ": section [architecture_presets] must have the key ArrayWidth"),
        (("ArrayWidth: 2", "ArrayHeight: 2"), ":6: ArrayHeight must be given once, not twice"),
        (("ArrayWidth: 2", "ArrayWidth"),
         ":6: a line must be like KEY = VALUE, not 'ArrayWidth'"),
    ],
)  # fmt: skip
def test_what_cannot_be_used(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    path, _ = write_files(tmp_path, change)
    with pytest.raises(ModelError) as error:
        read_config(path)
    assert str(error.value) == f"{path}{said}"


def test_banks_share_their_bandwidth(tmp_path: Path) -> None:
    path, _ = write_files(
        tmp_path, ("CALC", "USER"), ("FilterSRAMBankNum: 1", "FilterSRAMBankNum: 3")
    )
    with pytest.raises(ModelError) as error:
        read_config(path)
    assert str(error.value) == (
        f"{path}:24: FilterSRAMBankBandwidth must be a multiple of FilterSRAMBankNum, "
        "which is 3, not 10"
    )


def test_a_sparse_filter_does_not_begin_at_address_0(tmp_path: Path) -> None:
    path, _ = write_files(
        tmp_path,
        ("SparsitySupport : false", "SparsitySupport : true"),
        ("FilterOffset: 10000000", "FilterOffset: 0"),
    )
    with pytest.raises(ModelError, match=":11: FilterOffset must be a whole number from 1"):
        read_config(path)
