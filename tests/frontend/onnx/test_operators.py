# SPDX-License-Identifier: Apache-2.0
"""ONNX models against ONNX Runtime, which every import runs by itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import HealthCheck, given, settings

from intaglio.errors import ModelError
from intaglio.frontend import inspect_onnx, load_onnx
from intaglio.ir.execute import run
from intaglio.passes import fold_batchnorm, run_passes
from tests.frontend.models import Model, lenet_like
from tests.frontend.networks import networks

IN_A_FOLDER = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@IN_A_FOLDER
@given(networks())
def test_every_network_means_what_onnx_runtime_says(tmp_path: Path, model: Model) -> None:
    path = model.save(tmp_path)
    report = inspect_onnx(path)
    assert report.supported, str(report)
    run_passes(load_onnx(path), [fold_batchnorm])


def test_the_graph_computes_what_the_session_does(tmp_path: Path) -> None:
    path = lenet_like().save(tmp_path)
    images = np.random.default_rng(1).standard_normal((5, 1, 8, 8)).astype(np.float32)
    proto = onnx.load(path)
    proto.ir_version = 8
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    (expected,) = session.run(None, {"x": images})
    np.testing.assert_allclose(run(load_onnx(path), images), expected, rtol=1e-4)


def test_nodes_are_named_after_their_place_and_keep_their_origin(tmp_path: Path) -> None:
    model = Model((1, 4, 4))
    model.node("Relu", "x")
    model.nodes[0].name = "/block/block.0/relu/Relu"
    model.node("Relu")
    model.nodes[1].name = "13"
    first, second = load_onnx(model.save(tmp_path)).nodes
    assert (first.name, first.origin) == ("block_0_relu", "t0")
    assert (second.name, second.origin) == ("relu_13", "t1")


def test_a_bias_is_not_added_to_a_value_that_others_read(tmp_path: Path) -> None:
    model = Model((2, 4, 4))
    model.node("Conv", "x", model.constant(model.draw(2, 2, 1, 1)))
    conv = model.last
    model.node("Identity")
    model.node("Add", model.last, model.constant(model.draw(2, 1, 1)))
    model.node("Add", model.last, conv)
    names = [node.op.name for node in load_onnx(model.save(tmp_path)).nodes]
    assert names == ["conv2d", "batch_norm", "add"]


def test_a_channels_last_model_is_read_as_it_is(tmp_path: Path) -> None:
    model = Model((6, 5, 3))
    model.node("Mul", "x", model.constant(np.float32(0.5)))
    model.node("Transpose", model.last, perm=[0, 3, 1, 2])
    model.node("Conv", model.last, model.constant(model.draw(2, 3, 3, 3)))
    model.node("Transpose", model.last, perm=[0, 2, 3, 1])
    model.node("Flatten")
    model.node("MatMul", model.last, model.constant(model.draw(24, 2)))
    graph = load_onnx(model.save(tmp_path))
    assert not graph.channels_first
    assert graph.inputs[0].type.shape == (6, 5, 3)
    assert [node.op.name for node in graph.nodes] == ["batch_norm", "conv2d", "flatten", "matmul"]


def test_a_flat_input_becomes_an_image(tmp_path: Path) -> None:
    model = Model((36,))
    model.node("Reshape", "x", model.constant(np.array([-1, 1, 6, 6])))
    model.node("Conv", model.last, model.constant(model.draw(2, 1, 3, 3)))
    assert load_onnx(model.save(tmp_path)).types["n0"].shape == (6, 6, 1)


def test_a_flattened_image_can_be_added_scaled_and_unflattened(tmp_path: Path) -> None:
    model = Model((2, 3, 4))
    model.node("Flatten", "x")
    flat = model.last
    model.node("Relu")
    model.node("Add", flat, model.last)
    model.node("Mul", model.last, model.constant(model.draw(24)))
    model.node("Reshape", model.last, model.constant(np.array([0, 2, 3, 4])))
    model.node("Conv", model.last, model.constant(model.draw(2, 2, 2, 2)))
    graph = load_onnx(model.save(tmp_path))
    names = [node.op.name for node in graph.nodes]
    assert names == ["flatten", "relu", "add", "batch_norm", "reshape", "conv2d"]
    assert graph.types["n4"].shape == (3, 4, 2)


def test_several_outputs_are_all_kept(tmp_path: Path) -> None:
    model = lenet_like()
    graph = load_onnx(model.save(tmp_path, outputs=["t2", "t4"]))
    assert graph.outputs == ("n2", "n4")


def test_nodes_no_output_needs_are_left_out(tmp_path: Path) -> None:
    model = lenet_like()
    last = model.last
    model.node("Sigmoid", "t0")
    path = model.save(tmp_path, outputs=[last])
    assert len(load_onnx(path).nodes) == 5
    assert inspect_onnx(path).rows[-1].why == "no output depends on it"


# --- what cannot be read -------------------------------------------------------------------------


def _refusal(path: Path, **options: object) -> str:
    with pytest.raises(ModelError) as caught:
        load_onnx(path, **options)  # type: ignore[arg-type]
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(f"{path}")
    return text.removeprefix(f"{path}")


def test_all_unsupported_nodes_are_counted_and_listed(tmp_path: Path) -> None:
    model = Model((1, 6, 6))
    model.node("MaxPool", "x", kernel_shape=[2, 2], dilations=[2, 2])
    model.node("LRN", model.last, size=3)
    model.node("Flatten")
    model.node("Det")
    path = model.save(tmp_path)
    assert _refusal(path) == (
        ": MaxPool 'n0': dilations must be 1, not [2, 2] (nearest: a larger kernel); "
        "and 2 more, see: intaglio inspect"
    )
    assert [row.name for row in inspect_onnx(path).unsupported] == ["n0", "n1", "n3"]


def test_weights_that_are_not_numbers_are_named(tmp_path: Path) -> None:
    model = lenet_like()
    model.weights["conv.weight"][1, 0, 2, 2] = np.nan
    model.weights["conv.weight"][2, 0, 0, 0] = np.inf
    assert _refusal(model.save(tmp_path)) == (
        ": Conv 'n0': tensor 'conv.weight' must be finite, not NaN or infinite in 2 of 27 numbers"
    )


def test_a_model_that_overflows_is_refused(tmp_path: Path) -> None:
    model = lenet_like()
    model.weights["w2"] *= np.float32(3e38)
    assert "matmul 'n4' (t4) must stay finite on random input" in _refusal(model.save(tmp_path))


def test_open_sizes_need_values(tmp_path: Path) -> None:
    model = Model((1, "H", "W"))  # type: ignore[arg-type]
    model.node("Conv", "x", model.constant(model.draw(2, 1, 3, 3)))
    model.node("Relu")
    path = model.save(tmp_path)
    assert _refusal(path) == (
        ": input 'x' must have known sizes, not [N, 1, H, W]; "
        "give them without the batch: --shape x=1,N,N"
    )
    graph = load_onnx(path, shapes={"x": (1, 5, 7)})
    assert graph.inputs[0].type.shape == (5, 7, 1)
    assert load_onnx(path, shapes={"x": (9, 1, 5, 7)}).inputs == graph.inputs
    assert _refusal(path, shapes={"x": (2, 5, 7)}) == (
        ": input 'x' must have the shape [N, 1, H, W], not [2, 5, 7]"
    )
    assert _refusal(path, shapes={"y": (1, 5, 7)}) == (
        ": a shape must be for an input of the model (x), not 'y'"
    )


@pytest.mark.parametrize(
    ("write", "text"),
    [
        (
            lambda m: m.node("Transpose", "x", perm=[1, 0, 2, 3]),
            "Transpose 'n0': perm must keep the batch axis first, not be [1, 0, 2, 3]",
        ),
        (
            lambda m: m.node("Reshape", "x", m.constant(np.array([-1, 36]))),
            "Reshape 'n0': its target must keep the batch axis first and the 72 elements of a "
            "frame, not be [-1, 36] (nearest: Flatten)",
        ),
        (
            lambda m: m.node("Relu", "nowhere"),
            "Relu 'n0': operand 'nowhere' must be made by a node before it",
        ),
        (
            lambda m: m.node("MaxPool", "x", kernel_shape=[2, 2], outputs=["a", "b"]),
            "MaxPool 'n0': its further result 'b' is not computed",
        ),
        (
            lambda m: m.node("Add", m.constant(m.draw(1)), m.constant(m.draw(1))),
            "output 't0' must be computed from the inputs; it is constant",
        ),
    ],
)
def test_what_is_not_exact_is_refused(tmp_path: Path, write: object, text: str) -> None:
    model = Model((2, 6, 6))
    write(model)  # type: ignore[operator]
    outputs = ["b"] if "further" in text else ()
    assert _refusal(model.save(tmp_path, outputs=outputs)) == f": {text}"


def test_an_input_that_is_no_float_batch_is_refused(tmp_path: Path) -> None:
    model = Model(())
    model.node("Relu", "x")
    assert (
        _refusal(model.save(tmp_path)) == ": input 'x' must be a batch of frames [N, ...], not [N]"
    )
