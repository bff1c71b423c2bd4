# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from intaglio.errors import QuantizationError
from intaglio.ir.graph import Graph
from intaglio.ir.text import from_text, to_text
from intaglio.numerics.types import IntType
from intaglio.ops import operators
from intaglio.ops.add import Add
from intaglio.ops.argmax import Argmax
from intaglio.ops.flatten import Flatten
from intaglio.ops.matmul import Matmul
from intaglio.ops.reshape import Reshape
from intaglio.ops.softmax import Softmax
from intaglio.quantize.accuracy import evaluate
from intaglio.quantize.program import quantize
from tests.quantize.networks import Layer, network, normal
from tests.quantize.test_program import node_names

NOTE = "softmax 'p' (/p) is left out: the scores 'f' before it have the same order"


def classifier(*layers: Layer, outputs: tuple[str, ...] = ()) -> Graph:
    dense: Layer = ("f", Matmul(), "x", normal(1, 6, 4), normal(2, 6))
    return network((4,), dense, *layers, outputs=outputs)


@pytest.mark.parametrize("logarithm", [False, True])
def test_a_last_softmax_gives_its_scores_under_their_own_name(logarithm: bool) -> None:
    images = normal(3, 50, 4)
    graph = classifier(("p", Softmax(logarithm), "f"))
    program = quantize(graph, images)
    assert program.graph.outputs == ("f",)
    assert program.notes == (NOTE,)
    assert program.graph.types["f"].element == IntType.parse("s16")
    again = from_text(to_text(program), operators())
    assert again.notes == program.notes  # type: ignore[union-attr]
    found = evaluate(graph, program, images)
    assert found.agreement == 1.0
    assert [layer.name for layer in found.layers] == ["x", "f"]


def test_argmax_reads_the_scores_themselves() -> None:
    images = normal(3, 50, 4)
    graph = classifier(
        ("p", Softmax(), "f"), ("r", Reshape((1, 1, 6)), "p"), ("v", Flatten(), "r"),
        ("class", Argmax(), "v"),
    )  # fmt: skip
    program = quantize(graph, images)
    assert node_names(program) == ["f.acc", "f", "r", "v", "class"]
    assert program.notes == (NOTE,)
    assert evaluate(graph, program, images).agreement == 1.0


def test_a_network_without_one_has_no_notes() -> None:
    assert quantize(classifier(), normal(3, 5, 4)).notes == ()


@pytest.mark.parametrize(
    ("layers", "outputs"),
    [
        ((("p", Softmax(), "f"), ("a", Add(), "p", "f")), ()),
        ((("p", Softmax(), "f"), ("d", Matmul(), "p", normal(4, 2, 6), np.zeros(2))), ("p", "d")),
        (
            (
                ("r", Reshape((2, 3)), "f"),
                ("p", Softmax(), "r"),
                ("v", Flatten(), "p"),
                ("c", Argmax(), "v"),
            ),
            (),
        ),
    ],
    ids=["added", "multiplied", "compared between places"],
)
def test_one_whose_numbers_matter_is_refused_by_name(
    layers: tuple[Layer, ...], outputs: tuple[str, ...]
) -> None:
    graph = classifier(*layers, outputs=outputs)
    with pytest.raises(QuantizationError) as caught:
        quantize(graph, normal(3, 5, 4))
    assert str(caught.value) == (
        "softmax 'p' (/p) must be the network's end, or be read by argmax alone, where it can be "
        "left out: integers have no probabilities; cut the network in front of it"
    )


def test_places_of_their_own_may_each_have_one() -> None:
    graph = classifier(
        ("r", Reshape((2, 3)), "f"), ("p", Softmax(), "r"), ("v", Flatten(), "p")
    )  # fmt: skip
    program = quantize(graph, normal(3, 5, 4))
    assert node_names(program) == ["f.acc", "f", "r", "v"]
    assert program.graph.types["f"].element == IntType.parse("s16")
