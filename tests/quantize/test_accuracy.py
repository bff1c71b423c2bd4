# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from intaglio.errors import ModelError, QuantizationError
from intaglio.ir.execute import BATCH, run, run_program, trace
from intaglio.ops.argmax import Argmax
from intaglio.ops.matmul import Matmul
from intaglio.ops.max_pool import MaxPool
from intaglio.quantize.accuracy import CONFUSED, WORST, evaluate
from intaglio.quantize.program import quantize
from intaglio.quantize.scheme import Scheme
from tests.quantize.networks import network, normal, small, uniform

COARSE = Scheme(weights="s3n", activations="u3", output="s4")
IMAGES = normal(9, BATCH + 20, 6, 6, 2)
LABELS = np.random.default_rng(1).integers(0, 4, len(IMAGES))


def test_accuracies_are_those_of_the_two_runs() -> None:
    graph = small()
    program = quantize(graph, IMAGES[:20], COARSE)
    found = evaluate(graph, program, IMAGES, LABELS)
    real, whole = run(graph, IMAGES).argmax(1), run_program(program, IMAGES).argmax(1)
    assert found.count == len(IMAGES)
    assert found.float_accuracy == (real == LABELS).mean()
    assert found.integer_accuracy == (whole == LABELS).mean()
    assert found.agreement == (real == whole).mean()
    assert found.agreement < 1


def test_each_layer_has_the_errors_of_its_values() -> None:
    graph = small()
    program = quantize(graph, IMAGES[:20], COARSE)
    found = {layer.name: layer for layer in evaluate(graph, program, IMAGES).layers}
    assert list(found) == ["x", "c1", "r1", "s2", "flat", "f3"]
    real = trace(graph, {"x": IMAGES})
    whole = trace(program.graph, {"x": program.quantize_input(IMAGES)})
    for name, layer in found.items():
        twin = "c1.acc" if name == "c1" else name
        how, type_ = program.quantization[twin], program.graph.types[twin]
        error = np.abs(how.dequantize(whole[twin]) - real[name])
        assert (layer.type, layer.zero_point) == (str(type_), how.zero_point)
        assert layer.scale == max(how.scale)
        assert layer.mean_error == pytest.approx(error.mean())
        assert layer.max_error == error.max()
        ratio = (real[name].astype(float) ** 2).sum() / (error**2).sum()
        assert layer.sqnr_db == pytest.approx(10 * math.log10(ratio))
    top = program.graph.types["r1"].integer.max
    assert found["r1"].saturated == (whole["r1"] == top).mean() > 0
    assert found["c1"].saturated == 0


def test_the_worst_images_come_first() -> None:
    graph = small()
    program = quantize(graph, IMAGES[:20], COARSE)
    worst = evaluate(graph, program, IMAGES, LABELS).worst
    assert len(worst) == WORST
    assert [image.margin for image in worst] == sorted(image.margin for image in worst)
    real, whole = run(graph, IMAGES), run_program(program, IMAGES)
    for image in worst:
        scores = whole[image.index]
        assert image.float_prediction == real[image.index].argmax()
        assert image.integer_prediction == scores.argmax()
        assert image.label == LABELS[image.index]
        others = np.delete(scores, image.float_prediction)
        assert image.margin == pytest.approx(scores[image.float_prediction] - others.max())
    assert worst[0].margin < 0
    assert worst[0].float_prediction != worst[0].integer_prediction


def test_answers_are_counted_by_label() -> None:
    graph = small()
    program = quantize(graph, IMAGES[:20], COARSE)
    found = evaluate(graph, program, IMAGES, LABELS)
    answers = run_program(program, IMAGES).argmax(axis=1)
    assert found.confusion is not None
    for label, row in enumerate(found.confusion):
        for answer, count in enumerate(row):
            assert count == ((label == LABELS) & (answers == answer)).sum()
    right = sum(row[label] for label, row in enumerate(found.confusion))
    assert found.integer_accuracy == right / len(IMAGES)


def test_answers_are_not_counted_where_there_is_no_class_for_each_or_too_many() -> None:
    graph = small()
    program = quantize(graph, IMAGES[:20])
    assert evaluate(graph, program, IMAGES).confusion is None
    for label in (-1, 99):
        wrong = np.where(np.arange(len(LABELS)) == 0, label, LABELS)
        assert evaluate(graph, program, IMAGES, wrong).confusion is None
    wide = network((3,), ("f", Matmul(), "x", normal(1, CONFUSED + 1, 3), normal(2, CONFUSED + 1)))
    images = normal(3, 9, 3)
    found = evaluate(wide, quantize(wide, images), images, np.arange(9))
    assert found.integer_accuracy is not None
    assert found.confusion is None


def test_an_index_is_judged_by_the_scores_it_comes_from() -> None:
    layers = ("f", Matmul(), "x", normal(1, 5, 3), normal(2, 5))
    plain, indexed = network((3,), layers), network((3,), layers, ("class", Argmax(), "f"))
    images, labels = normal(3, 40, 3), np.arange(40) % 5
    found = [evaluate(graph, quantize(graph, images), images, labels) for graph in (plain, indexed)]
    assert found[0].float_accuracy == found[1].float_accuracy
    assert found[0].agreement == found[1].agreement
    assert found[0].worst == found[1].worst


def test_a_result_that_is_no_vector_has_layers_only() -> None:
    graph = network((4, 4, 1), ("p", MaxPool((2, 2), (2, 2)), "x"))
    images = uniform(1, 3, 4, 4, 1)
    found = evaluate(graph, quantize(graph, images), images)
    assert (found.float_accuracy, found.agreement, found.worst) == (None, None, ())
    assert [layer.name for layer in found.layers] == ["x", "p"]


def test_no_error_and_no_signal_have_no_ratio() -> None:
    graph = network((4, 4, 1), ("p", MaxPool((2, 2), (2, 2)), "x"))
    images = np.zeros((3, 4, 4, 1))
    found = evaluate(graph, quantize(graph, images), images)
    assert [layer.sqnr_db for layer in found.layers] == [None, None]
    assert "-" in str(found)


def test_it_prints_an_aligned_table_and_json() -> None:
    graph = small()
    found = evaluate(graph, quantize(graph, IMAGES[:20]), IMAGES[:50], LABELS[:50])
    lines = str(found).splitlines()
    assert lines[:2] == ["50 images", f"float accuracy    {found.float_accuracy:.2%}"]
    table = lines[5:]
    assert table[0].split() == [
        *("value", "type", "scale", "zero", "mean", "error", "max", "error"),
        *("SQNR", "dB", "saturated"),
    ]
    assert len({len(line) for line in table}) == 1
    document = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert document["count"] == 50
    assert document["layers"][0]["name"] == "x"
    assert len(document["worst"]) == WORST


def test_images_come_in_the_source_models_order() -> None:
    graph = replace(small(), channels_first=True)
    images = IMAGES[:30].transpose(0, 3, 1, 2)
    found = evaluate(graph, quantize(graph, images), images)
    assert found == evaluate(small(), quantize(small(), IMAGES[:30]), IMAGES[:30])


def test_wrong_data_is_refused() -> None:
    graph = small()
    program = quantize(graph, IMAGES[:20])
    with pytest.raises(
        QuantizationError, match=r"^evaluation data must hold at least one frame, not 0$"
    ):
        evaluate(graph, program, IMAGES[:0])
    with pytest.raises(ModelError, match=r"^data for 'x' must have shape \(N, 6, 6, 2\), not"):
        evaluate(graph, program, IMAGES[:, :5])
    with pytest.raises(ModelError, match=r"^data for 'x' must be finite, not NaN or infinite$"):
        evaluate(graph, program, np.full((1, 6, 6, 2), np.nan))
    with pytest.raises(
        QuantizationError,
        match=r"^labels must be one integer for each of 5 images, not int64 of shape \(4,\)$",
    ):
        evaluate(graph, program, IMAGES[:5], LABELS[:4])
    with pytest.raises(QuantizationError, match=r"not float64 of shape \(5,\)$"):
        evaluate(graph, program, IMAGES[:5], LABELS[:5] * 1.0)
