# SPDX-License-Identifier: Apache-2.0
"""Files that are damaged, hostile or unusual: one clear line each, and never a crash."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from intaglio.errors import ModelError
from intaglio.frontend import load_onnx
from intaglio.frontend.onnx.source import to_array
from tests.frontend.models import Model, lenet_like


def _refusal(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load_onnx(path)
    text = str(caught.value)
    assert "\n" not in text
    return text.removeprefix(str(path))


# --- not a whole model ---------------------------------------------------------------------------


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert _refusal(tmp_path / "no.onnx") == " must be an ONNX file; there is no such file"


@pytest.mark.parametrize("data", [b"", b"\x08\x07"])
def test_a_file_without_a_graph_is_no_model(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(data)
    expected = ": it must be an ONNX model with a graph and an output; it has none"
    assert _refusal(path) == expected


def test_a_text_file_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_text("hello, I am a README\n")
    assert _refusal(path).startswith(" must be a whole ONNX model, it is damaged: ")


def test_a_truncated_file_is_damaged(tmp_path: Path) -> None:
    path = lenet_like().save(tmp_path)
    path.write_bytes(path.read_bytes()[:-100])
    assert _refusal(path).startswith(" must be a whole ONNX model, it is damaged: ")


def test_a_name_that_is_no_text_is_damage(tmp_path: Path) -> None:
    path = lenet_like().save(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"conv.weight", b"conv\xff\xfeeight"))
    assert _refusal(path).startswith(" must be a whole ONNX model, it is damaged: 'utf-8' codec")


# --- versions and limits -------------------------------------------------------------------------


def _changed(tmp_path: Path, change: Callable[[onnx.ModelProto], object]) -> Path:
    path = lenet_like().save(tmp_path)
    proto = onnx.load(path)
    change(proto)
    path.write_bytes(proto.SerializeToString())
    return path


@pytest.mark.parametrize("opset", [0, 6, 26])
def test_other_opsets_are_refused(tmp_path: Path, opset: int) -> None:
    path = _changed(tmp_path, lambda p: setattr(p.opset_import[0], "version", opset))
    assert _refusal(path) == (
        f": its opset must be 7 to 25, not {opset}: export it again with opset_version=17"
    )


def test_an_ir_version_newer_than_onnx_runtime_knows_is_read(tmp_path: Path) -> None:
    newer = load_onnx(_changed(tmp_path, lambda p: setattr(p, "ir_version", 99)))
    assert newer.nodes == load_onnx(lenet_like().save(tmp_path)).nodes


def test_an_old_file_lists_its_weights_among_the_inputs(tmp_path: Path) -> None:
    def age(proto: onnx.ModelProto) -> None:
        proto.ir_version = 3
        for tensor in proto.graph.initializer:
            value = helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
            proto.graph.input.append(value)

    assert len(load_onnx(_changed(tmp_path, age)).inputs) == 1


def test_sparse_weights_are_refused(tmp_path: Path) -> None:
    path = _changed(tmp_path, lambda p: p.graph.sparse_initializer.add())
    assert _refusal(path) == (
        ": its weights must be dense, not sparse: save it with dense initializers"
    )


def test_declared_sizes_must_match_the_data(tmp_path: Path) -> None:
    def grow(proto: onnx.ModelProto) -> None:
        proto.graph.initializer[0].dims[0] = 1 << 40

    assert _refusal(_changed(tmp_path, grow)) == (
        f": tensor 'conv.weight' must hold {9 << 40} elements as its shape {[1 << 40, 1, 3, 3]} "
        "says, not 27"
    )


def test_negative_sizes_are_refused(tmp_path: Path) -> None:
    def shrink(proto: onnx.ModelProto) -> None:
        proto.graph.initializer[0].dims[0] = -3

    text = _refusal(_changed(tmp_path, shrink))
    assert text == ": tensor 'conv.weight' must have sizes of at least 0, not [-3, 1, 3, 3]"


def _add_huge_constant(proto: onnx.ModelProto) -> None:
    size = numpy_helper.from_array(np.array([1 << 40]), "size")
    proto.graph.initializer.append(size)
    proto.graph.node.append(helper.make_node("ConstantOfShape", ["size"], ["big"]))
    proto.graph.node.append(helper.make_node("Add", ["t4", "big"], ["end"]))
    proto.graph.output[0].name = "end"


@pytest.mark.parametrize(
    "grow",
    [
        lambda p: setattr(p.graph.input[0].type.tensor_type.shape.dim[2], "dim_value", 1 << 40),
        lambda p: setattr(p.graph.input[0].type.tensor_type.shape.dim[0], "dim_value", 1 << 40),
        lambda p: p.graph.node[0].attribute[1].ints.__setitem__(0, 1 << 40),
        lambda p: p.graph.node.extend(list(p.graph.node) * 5000),
        _add_huge_constant,
    ],
    ids=["frame", "batch", "padding", "nodes", "constant"],
)
def test_bombs_are_refused_at_once(
    tmp_path: Path, grow: Callable[[onnx.ModelProto], object]
) -> None:
    start = time.monotonic()
    path = _changed(tmp_path, grow)
    with pytest.raises(ModelError, match="must have at most"):
        load_onnx(path)
    assert time.monotonic() - start < 5


def test_functions_that_call_each_other_are_refused(tmp_path: Path) -> None:
    def recurse(proto: onnx.ModelProto) -> None:
        node = helper.make_node("f", ["a"], ["b"], domain="local")
        opset = helper.make_opsetid("local", 1)
        proto.functions.append(helper.make_function("local", "f", ["a"], ["b"], [node], [opset]))
        proto.opset_import.append(opset)

    text = _refusal(_changed(tmp_path, recurse))
    assert text == ": local functions must not call themselves, or 100 deep"


def test_functions_that_double_are_refused(tmp_path: Path) -> None:
    def double(proto: onnx.ModelProto) -> None:
        opset = helper.make_opsetid("local", 1)
        for level in range(40):
            nodes = [
                helper.make_node(f"f{level + 1}", [a], [b], domain="local")
                for a, b in (("a", "b"), ("b", "c"))
            ]
            proto.functions.append(
                helper.make_function("local", f"f{level}", ["a"], ["c"], nodes, [opset])
            )
        proto.graph.node.append(helper.make_node("f0", ["t4"], ["end"], domain="local"))
        proto.opset_import.append(opset)

    text = _refusal(_changed(tmp_path, double))
    assert text == ": it must have at most 10000 nodes with its functions written out"


def test_local_functions_are_read(tmp_path: Path) -> None:
    def split(proto: onnx.ModelProto) -> None:
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
        body = [helper.make_node("Relu", ["a"], ["b"])]
        proto.functions.append(helper.make_function("local", "Act", ["a"], ["b"], body, opsets))
        proto.opset_import.append(opsets[1])
        proto.graph.node[1].op_type, proto.graph.node[1].domain = "Act", "local"

    names = [node.op.name for node in load_onnx(_changed(tmp_path, split)).nodes]
    assert names == ["conv2d", "relu", "max_pool", "flatten", "matmul"]


@pytest.mark.parametrize(
    "dtype", [np.float32, np.float16, np.float64, np.int64, np.uint8, np.bool_]
)
def test_tensors_are_read_in_both_encodings(dtype: type) -> None:
    array = np.array([[0, 1, 2], [3, 0, 1]]).astype(dtype)
    raw = numpy_helper.from_array(array)
    typed = helper.make_tensor("t", raw.data_type, array.shape, array.ravel().tolist())
    for tensor in (raw, typed):
        found = to_array(tensor)
        assert found is not None
        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, array)


def test_a_tensor_of_words_is_named_where_it_is_read(tmp_path: Path) -> None:
    model = lenet_like()
    model.node("Add", model.last, "words")
    path = model.save(tmp_path)
    proto = onnx.load(path)
    proto.graph.initializer.append(helper.make_tensor("words", TensorProto.STRING, [1], [b"a"]))
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(
        ModelError, match=r"Add 'n5': tensor 'words' must be of numbers of up to 64"
    ):
        load_onnx(path)


# --- weights beside the model --------------------------------------------------------------------


def _external(tmp_path: Path, location: str | None = None, **entries: str) -> Path:
    """Save a model whose weights lie in w.bin, then say what the file claims of one of them."""
    path = tmp_path / "m.onnx"
    onnx.save_model(
        lenet_like().proto(),
        str(path),
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location="w.bin",
        size_threshold=0,
    )
    proto = onnx.load(path, load_external_data=False)
    claims = dict(entries) if location is None else {"location": location, **entries}
    for entry in proto.graph.initializer[0].external_data:
        entry.value = claims.pop(entry.key, entry.value)
    path.write_bytes(proto.SerializeToString())
    return path


def test_weights_beside_the_model_are_read(tmp_path: Path) -> None:
    assert load_onnx(_external(tmp_path)).parameters == 27 + 3 + 4 * 48 + 4


@pytest.mark.parametrize(
    "location", ["../w.bin", "sub/w.bin", "/etc/passwd", "..", "", "c:\\w.bin"]
)
def test_weights_elsewhere_are_refused(tmp_path: Path, location: str) -> None:
    text = _refusal(_external(tmp_path, location))
    assert text == (
        ": tensor 'conv.weight': its external data must be a file beside the model, "
        f"not {location!r}"
    )


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_links_to_weights_are_refused(tmp_path: Path, link: Callable[[Path, Path], None]) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(bytes(27 * 4))
    link(outside / "secret", tmp_path / "evil.bin")
    text = _refusal(_external(tmp_path, "evil.bin", offset="0"))
    assert text.startswith(": tensor 'conv.weight': its external data must be a")
    assert "plain file" in text
    assert "evil.bin" in text


def test_a_pipe_is_no_weights_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "must be a plain file" in _refusal(_external(tmp_path, "pipe"))


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ({"offset": "999999"}, "must lie in 'w.bin', not end at byte 1000107 of"),
        ({"offset": "-4"}, "must have a offset in bytes, not '-4'"),
        ({"length": "5"}, "must be 108 bytes as its shape says, not 5"),
        ({"length": "9" * 50}, "must have a length in bytes, not '9999"),
        ({"location": "gone.bin"}, "must be a readable plain file 'gone.bin' beside the model"),
    ],
)
def test_weights_of_the_wrong_size_are_refused(
    tmp_path: Path, entries: dict[str, str], text: str
) -> None:
    assert text in _refusal(_external(tmp_path, **entries))


def test_a_model_that_is_read_opens_no_other_file(tmp_path: Path) -> None:
    model = Model((1, 4, 4))
    model.node("Relu", "x")
    path = model.save(tmp_path)
    proto = onnx.load(path)
    unused = numpy_helper.from_array(np.zeros(4, np.float32), "unused")
    unused.ClearField("raw_data")
    unused.data_location = TensorProto.EXTERNAL
    unused.external_data.add(key="location", value="../../etc/passwd")
    proto.graph.initializer.append(unused)
    path.write_bytes(proto.SerializeToString())
    assert "must be a file beside the model" in _refusal(path)
