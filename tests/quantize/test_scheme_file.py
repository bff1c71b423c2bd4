# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.errors import QuantizationError
from intaglio.quantize.scheme import NAMED, Override, Scheme
from intaglio.quantize.scheme_file import from_document, override_of, read_scheme, to_document

OVERRIDES = st.builds(
    Override,
    st.sampled_from(["c1", "c*", "[ab]?"]),
    weights=st.sampled_from([None, "s2n", "s1"]),
    activations=st.sampled_from([None, "u1", "s16"]),
    scale_rule=st.sampled_from([None, "pow2"]),
    rounding=st.sampled_from([None, "gptq"]),
)


@given(
    st.sampled_from(sorted({*NAMED} - {"affine8"})), st.lists(OVERRIDES, max_size=3, unique_by=str)
)
def test_a_document_gives_the_same_scheme_back(name: str, layers: list[Override]) -> None:
    unique = {o.pattern: o for o in layers if o.given}
    scheme = Scheme(**NAMED[name], layers=tuple(unique.values()))
    document = json.loads(json.dumps(to_document(scheme)))
    assert from_document(document) == scheme


def test_a_file_starts_from_a_scheme_and_names_exceptions(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'scheme = "w4a4"\nequalize = true\n[layers.c1]\nweights = "s8n"\n'
        '[layers."f*"]\nactivations = "u2"\n'
    )
    found = read_scheme(str(path))
    assert (found.weights, found.activations, found.equalize) == ("s4", "u4", True)
    assert found.layers == (Override("c1", weights="s8n"), Override("f*", activations="u2"))
    other = tmp_path / "mine.json"
    other.write_text(json.dumps(to_document(found)))
    assert read_scheme(str(other)) == found
    assert read_scheme("pow2") == Scheme.named("pow2")


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ([], "a scheme must be a table of names and values, not []"),
        ({"bits": "4"}, "a scheme has weights, activations, output, "),
        ({"weights": 4}, "weights must be a text, not 4"),
        ({"equalize": "yes"}, "equalize must be true or false, not 'yes'"),
        ({"weights": "s99"}, "weights must be a signed integer type of 1 to 16 bits"),
        ({"layers": {"c1": "s4"}}, "layer 'c1' must be a table of names and values, not 's4'"),
        ({"layers": {"c1": {"output": "s8"}}}, "layer 'c1' has weights, activations, granularity,"),
        ({"layers": {"c1": {"weights": 4}}}, "layer 'c1': weights must be a text, not 4"),
    ],
)
def test_a_wrong_file_says_where(tmp_path: Path, document: Any, text: str) -> None:
    path = tmp_path / "s.json"
    path.write_text(json.dumps(document))
    with pytest.raises(QuantizationError) as caught:
        read_scheme(str(path))
    assert str(caught.value).startswith(f"{path}: {text}")


def test_a_file_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    with pytest.raises(QuantizationError, match=r"^a scheme's file must be readable: "):
        read_scheme(str(path))
    path.write_text("weights =")
    with pytest.raises(QuantizationError, match=r"s\.toml must be TOML: "):
        read_scheme(str(path))


def test_an_exception_on_a_command_line() -> None:
    assert override_of("c*:weights=s4,rounding=gptq") == Override(
        "c*", weights="s4", rounding="gptq"
    )
    for wrong in ("c1", ":weights=s4", "c1:weights", "c1:weights="):
        with pytest.raises(QuantizationError, match=r"^a layer's exception must be like c1\*:"):
            override_of(wrong)
