# SPDX-License-Identifier: Apache-2.0
"""Small random layers on small random machines, with all that has gone wrong in either."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from intaglio.scalesim.config import Config
from intaglio.scalesim.topology import Layer

TINY = Config(
    run_name="tiny",
    rows=3,
    columns=2,
    ifmap_buffer=1024,
    filter_buffer=1024,
    ofmap_buffer=1024,
    ifmap_offset=0,
    filter_offset=10_000_000,
    ofmap_offset=20_000_000,
    dataflow="os",
    user=False,
    ifmap_bandwidth=10,
    filter_bandwidth=10,
    ofmap_bandwidth=2,
    sparse=False,
    storage="ellpack_block",
)
#: Words of a buffer. The files know multiples of 1024; smaller ones are full sooner.
BUFFERS = (100, 107, 128, 150, 250, 256, 333, 512, 1024)


@st.composite
def conv_layers(draw: DrawFn) -> Layer:
    height, width = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    return Layer(
        "conv",
        height,
        width,
        draw(st.integers(1, height)),
        draw(st.integers(1, width)),
        draw(st.sampled_from((1, 2, 3, 4, 6, 8, 12))),
        draw(st.integers(1, 9)),
        draw(st.integers(1, 3)),
        draw(st.integers(1, 3)),
        *draw(st.sampled_from(((1, 1), (1, 2), (2, 4), (3, 4), (4, 4), (1, 8)))),
    )


@st.composite
def gemm_layers(draw: DrawFn) -> Layer:
    m, n, k = (draw(st.integers(1, 24)) for _ in range(3))
    return Layer("gemm", m, k, 1, k, 1, n, 1, 1)


layers = st.one_of(conv_layers(), conv_layers(), gemm_layers())


@st.composite
def configs(draw: DrawFn, *, user: bool, sparse: bool = False) -> Config:
    columns = draw(st.integers(1, 9))
    config = replace(
        TINY,
        rows=draw(st.integers(1, 9)),
        columns=columns,
        dataflow=draw(st.sampled_from(("os", "ws", "is"))),
        ifmap_buffer=draw(st.sampled_from(BUFFERS)),
        filter_buffer=draw(st.sampled_from(BUFFERS)),
        ofmap_buffer=draw(st.sampled_from(BUFFERS)),
        ofmap_bandwidth=columns,
        user=user,
        sparse=sparse,
    )
    if not user:
        return config
    bandwidths = st.sampled_from((1, 2, 3, 5, 8, 13, 40, 200))
    return replace(
        config,
        ifmap_bandwidth=draw(bandwidths),
        filter_bandwidth=draw(bandwidths),
        ofmap_bandwidth=draw(bandwidths),
    )
