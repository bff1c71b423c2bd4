# SPDX-License-Identifier: Apache-2.0
"""Topologies: every form that is accepted, and what is said of the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from intaglio.errors import ModelError
from intaglio.scalesim.topology import Layer, read_topology

HEADING = "Layer name, IFMAP Height, IFMAP Width, Filter Height, ...\n"


def read(folder: Path, text: str, kind: str = "conv") -> tuple[Layer, ...]:
    path = folder / "net.csv"
    path.write_text(HEADING + text, encoding="utf-8-sig")
    return read_topology(path, kind)


def test_a_comma_at_the_end_of_a_line_may_be_left_out(tmp_path: Path) -> None:
    expected = (Layer("c1", 8, 9, 3, 2, 4, 5, 2, 2),)
    assert read(tmp_path, "c1,8,9,3,2,4,5,2,\n") == expected
    assert read(tmp_path, "c1, 8, 9, 3, 2, 4, 5, 2") == expected
    assert read(tmp_path, "\n\n# a note\n c1 ,8,9,3,2,4,5,2 ,\r\n\n") == expected


def test_a_second_stride_and_a_ratio(tmp_path: Path) -> None:
    rows = "a,8,9,3,2,4,5,2,1,\nb,8,9,3,2,4,5,2,2:4,\nc,8,9,3,2,4,5,2,1,1:8\n"
    assert read(tmp_path, rows) == (
        Layer("a", 8, 9, 3, 2, 4, 5, 2, 1),
        Layer("b", 8, 9, 3, 2, 4, 5, 2, 2, 2, 4),
        Layer("c", 8, 9, 3, 2, 4, 5, 2, 1, 1, 8),
    )


def test_a_product_of_matrices(tmp_path: Path) -> None:
    (layer,) = read(tmp_path, "fc,7,5,11,2:4,\n", "gemm")
    assert layer == Layer("fc", 7, 11, 1, 11, 1, 5, 1, 1, 2, 4)
    assert (layer.pixels, layer.taps, layer.filters) == (7, 11, 5)
    assert layer.kept_taps == 6
    assert layer.macs == 7 * 5 * 11


def test_a_name_with_dp_is_a_layer_for_each_channel(tmp_path: Path) -> None:
    layers = read(tmp_path, "DP1,8,8,3,3,3,1,1,\n")
    assert [layer.name for layer in layers] == [f"DP1Channel_{i}" for i in range(3)]
    assert {layer.channels for layer in layers} == {1}


def test_a_stride_that_does_not_divide_gives_a_window_more() -> None:
    layer = Layer("c", 10, 11, 3, 3, 1, 1, 2, 4)
    assert (layer.out_height, layer.out_width) == (5, 3)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("c,8,8,3,3,1,4", "a layer must have a name and 7 numbers (IFMAP Height, IFMAP Width, "
         "Filter Height, Filter Width, Channels, Num Filter, Strides), not 6"),
        ("c,8,8,3,x,1,4,1,", "Filter Width must be a whole number from 1 to 16777216, not 'x'"),
        ("c,8,8,3,3,1,0,1,", "Num Filter must be a whole number from 1 to 16777216, not '0'"),
        ("c,8,8,3,3,1,4,-1,", "Strides must be a whole number from 1 to 16777216, not '-1'"),
        ("c,8,8,3,3,1,4,1.5,", "Strides must be a whole number from 1 to 16777216, not '1.5'"),
        ("c,8,8,3,9,1,4,1,", "Filter Width must be at most IFMAP Width, which is 8, not 9"),
        ("c,8,8,9,3,1,4,1,", "Filter Height must be at most IFMAP Height, which is 8, not 9"),
        ("c,8,8,3,3,1,4,1,2:1,", "Sparsity N must be a whole number from 1 to 1, not '2'"),
        ("c,8,8,3,3,1,4,1,1,4,", "Sparsity must be like 2:4, and the last of a line, not '4'"),
        ("c,99999,99999,3,3,1,4,1,",
         "IFMAP of a layer must have at most 268435456 words, not 9999800001"),
        ("c,1,1,1,1,9999999,9999999,1,",
         "the filters of a layer must have at most 268435456 words, not 99999980000001"),
        ("c,16384,16384,1,1,1,1,1,", ""),
        ("c,16000,16000,128,128,1,1,1,",
         "all windows of a layer must have at most 2147483648 words, not 4127983681536"),
    ],
)  # fmt: skip
def test_what_cannot_be_used(tmp_path: Path, line: str, said: str) -> None:
    if not said:
        assert len(read(tmp_path, line)) == 1
        return
    with pytest.raises(ModelError) as error:
        read(tmp_path, line)
    assert str(error.value) == f"{tmp_path / 'net.csv'}:2: {said}"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="must be a topology; there is no such file"):
        read_topology(tmp_path / "none.csv")
    with pytest.raises(ModelError, match="must be a topology, not a folder"):
        read_topology(tmp_path)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match="must be a topology in UTF-8; it is not text"):
        read_topology(tmp_path / "bytes")
    with pytest.raises(ModelError, match="must have a layer below its first line"):
        read(tmp_path, "")
    with pytest.raises(ModelError, match="must be one of conv, gemm, not 'rnn'"):
        read(tmp_path, "c,8,8,3,3,1,4,1,", "rnn")
