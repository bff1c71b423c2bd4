# SPDX-License-Identifier: Apache-2.0
"""Every promise that the suite checks, broken once."""
# ruff: noqa: ARG002 - an operator answers the same questions as all others

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from intaglio import ops
from intaglio.errors import ModelError, VerificationError
from intaglio.hw.clamp import clamp
from intaglio.hw.unit import Fold, Unit
from intaglio.ir.constant import Constant
from intaglio.ir.loops import LoopNest, elementwise
from intaglio.ir.operator import Operator, Step
from intaglio.ir.types import FLOAT32, TensorType
from intaglio.numerics.types import IntType
from intaglio.ops.add import Add
from intaglio.ops.clip import Clip
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.relu import Relu
from intaglio.testing import Example, check_operator, check_operators
from intaglio.testing.example import draw

S8 = IntType(8, signed=True)
IMAGE = TensorType((3, 4, 4), S8)


def refused(op: Operator, text: str, folder: Path, *operands: TensorType | Constant) -> None:
    with pytest.raises(VerificationError, match=text):
        check_operator(Example(op, operands or (IMAGE,)), folder)


@dataclass(frozen=True)
class Narrow(Relu):
    name: ClassVar[str] = "narrow"

    def infer(self, *types: TensorType) -> TensorType:
        return TensorType(types[0].shape, IntType(6, signed=False))


def test_a_type_rule_that_does_not_hold_the_results(tmp_path: Path) -> None:
    refused(Narrow(), r"narrow .*: a result must lie in the inferred u6, not range over", tmp_path)


@dataclass(frozen=True)
class Flat(Relu):
    name: ClassVar[str] = "flat"

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        return super().evaluate(*arrays).reshape(len(arrays[0]), -1)


def test_a_result_of_another_shape(tmp_path: Path) -> None:
    refused(Flat(), r"must have the inferred shape \(3, 4, 4\), not \(48,\)", tmp_path)


@dataclass(frozen=True)
class Floating(Relu):
    name: ClassVar[str] = "floating"

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        return super().evaluate(*arrays).astype(np.float32)


def test_floats_from_integers(tmp_path: Path) -> None:
    refused(Floating(), "a result must hold integers, not float32", tmp_path)


@dataclass(frozen=True)
class Wrapping(Add):
    name: ClassVar[str] = "wrapping"

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        return np.add(*arrays)


def test_a_sum_that_wraps_in_narrow_machine_integers(tmp_path: Path) -> None:
    refused(Wrapping(), "the result of 64-bit integers must be the same", tmp_path, IMAGE, IMAGE)


@dataclass(frozen=True)
class Centered(Relu):
    name: ClassVar[str] = "centered"

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        return super().evaluate(*arrays) // (1 + len(arrays[0]))


def test_a_frame_that_depends_on_its_batch(tmp_path: Path) -> None:
    refused(Centered(), "the result of a frame alone must be the same", tmp_path)


@dataclass(frozen=True)
class Halved(Relu):
    name: ClassVar[str] = "halved"

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        found = super().evaluate(*arrays)
        return found / 2 if np.issubdtype(found.dtype, np.floating) else found // 2


def test_another_meaning_on_floats(tmp_path: Path) -> None:
    refused(Halved(), "the result of the same numbers as floats must be the same", tmp_path)


@dataclass(frozen=True)
class Destructive(Relu):
    name: ClassVar[str] = "destructive"

    def evaluate(self, *arrays: np.ndarray) -> np.ndarray:
        arrays[0][...] = 0
        return super().evaluate(*arrays)


def test_an_operand_that_is_written_to(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="read-only"):
        check_operator(Example(Destructive(), (IMAGE,)), tmp_path)


@dataclass(frozen=True)
class Sparse(Relu):
    name: ClassVar[str] = "sparse"

    def loops(self, *types: TensorType) -> LoopNest:
        return elementwise((3, 4, 2))


def test_loops_that_do_not_write_everything(tmp_path: Path) -> None:
    refused(Sparse(), r"the loop nest must write all of u7\[3,4,4\], not \[3, 4, 2\]", tmp_path)


@dataclass(frozen=True)
class Greedy(Relu):
    name: ClassVar[str] = "greedy"

    def loops(self, *types: TensorType) -> LoopNest:
        nest = elementwise(types[0].shape)
        (read,) = nest.reads
        wide = replace(read, indices=((("D0", 2),), *read.indices[1:]))
        return replace(nest, reads=(wide,))


def test_loops_that_read_outside(tmp_path: Path) -> None:
    text = r"must read input0 inside \[3, 4, 4\], not up to \[5, 4, 4\]"
    refused(Greedy(), text, tmp_path)


@dataclass(frozen=True)
class Elsewhere(Relu):
    name: ClassVar[str] = "elsewhere"

    def loops(self, *types: TensorType) -> LoopNest:
        nest = elementwise(types[0].shape)
        return replace(nest, reads=(replace(nest.reads[0], tensor="input1"),))


def test_loops_over_an_operand_there_is_not(tmp_path: Path) -> None:
    refused(Elsewhere(), "the loop nest must read operands x, not 'input1'", tmp_path)


@dataclass(frozen=True)
class Forgetful(Clip):
    name: ClassVar[str] = "forgetful"

    def attributes(self) -> dict[str, Any]:
        return {**super().attributes(), "high": 100}


def test_an_attribute_that_does_not_read_back(tmp_path: Path) -> None:
    refused(Forgetful(0, 3), "attributes must read back as .*high=3", tmp_path)


@dataclass(frozen=True)
class Sloppy(MaxPool):
    name: ClassVar[str] = "sloppy"

    def lower(self, types: Sequence[TensorType]) -> Sequence[Step] | None:
        return (Step("pool", MaxPool(self.kernel, (1, 1)), ("x",)),)


def test_a_lowering_to_another_type(tmp_path: Path) -> None:
    refused(Sloppy((2, 2), (2, 2)), r"a lowering must give s8\[1,2,4\], not s8\[2,3,4\]", tmp_path)


@dataclass(frozen=True)
class Careless(Clip):
    name: ClassVar[str] = "careless"

    def lower(self, types: Sequence[TensorType]) -> Sequence[Step] | None:
        return (Step("clip", Clip(self.low, self.high - 1), ("x",)),)


def test_a_lowering_to_another_meaning(tmp_path: Path) -> None:
    refused(Careless(0, 100), "a lowering must not change what 'example' computes", tmp_path)


@dataclass(frozen=True)
class Mistaken(Clip):
    name: ClassVar[str] = "mistaken"

    def unit(
        self, types: Sequence[TensorType], constants: Mapping[str, Constant], fold: Fold
    ) -> Unit:
        return clamp(types[0], self.infer(*types), int(self.low), 99, fold.lanes_in)


def test_hardware_that_nothing_finds_again(tmp_path: Path) -> None:
    text = "operator 'mistaken' must be registered to be found again in a bundle: name it in"
    refused(Mistaken(0, 100), text, tmp_path)


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the operators of this file as a package's entry points do."""
    entries = [SimpleNamespace(load=lambda op=op: op) for op in PLUGINS]
    monkeypatch.setattr(ops, "entry_points", lambda **_: entries)


@pytest.mark.usefixtures("registered")
def test_hardware_that_computes_something_else(tmp_path: Path, runtime: Path) -> None:
    with pytest.raises(VerificationError) as caught:
        check_operator(Example(Mistaken(0, 100), (IMAGE,)), tmp_path, folds=1, runtime=runtime)
    text = str(caught.value)
    assert re.search(
        r"mistaken .*, Fold\(lanes_in=1, .*: image \d, layer y \(mistaken\), row", text
    )
    assert "expected 100, found 99; waveform: " in text


@dataclass(frozen=True)
class Boastful(Clip):
    name: ClassVar[str] = "boastful"

    def unit(
        self, types: Sequence[TensorType], constants: Mapping[str, Constant], fold: Fold
    ) -> Unit:
        honest = super().unit(types, constants, fold)
        (process,) = honest.processes
        return replace(honest, processes=(replace(process, latency=1),))  # type: ignore[type-var]


@pytest.mark.usefixtures("registered")
def test_hardware_that_is_slower_than_it_says(tmp_path: Path, runtime: Path) -> None:
    with pytest.raises(VerificationError, match="first beat out: predicted at cycle 1, simul"):
        check_operator(Example(Boastful(0, 100), (IMAGE,)), tmp_path, folds=1, runtime=runtime)


@dataclass(frozen=True)
class Shrinking(Clip):
    name: ClassVar[str] = "shrinking"

    def unit(
        self, types: Sequence[TensorType], constants: Mapping[str, Constant], fold: Fold
    ) -> Unit:
        honest = super().unit(types, constants, fold)
        out = honest.outputs["out"]
        return replace(honest, outputs={"out": replace(out, beats=out.beats - 1)})


@pytest.mark.usefixtures("registered")
def test_streams_that_do_not_carry_a_frame(tmp_path: Path) -> None:
    refused(Shrinking(0, 9), "streams must carry .*, not", tmp_path)


@dataclass(frozen=True)
class Lazy(Clip):
    name: ClassVar[str] = "lazy"

    def unit(
        self, types: Sequence[TensorType], constants: Mapping[str, Constant], fold: Fold
    ) -> Unit:
        return replace(super().unit(types, constants, fold), macs=7)


@pytest.mark.usefixtures("registered")
def test_products_that_are_not_there(tmp_path: Path) -> None:
    text = "0 multipliers must do 0 MACs in 48 cycles; 7 are claimed"
    refused(Lazy(0, 9), text, tmp_path)


@dataclass(frozen=True)
class Unfolded(Clip):
    name: ClassVar[str] = "unfolded"

    def folds(self, types: Sequence[TensorType]) -> Iterator[Fold]:
        return iter((Fold(), Fold()))


@pytest.mark.usefixtures("registered")
def test_folds_that_are_the_same(tmp_path: Path) -> None:
    refused(Unfolded(0, 9), "folds must be some and different, not", tmp_path)


PLUGINS = (Mistaken, Boastful, Shrinking, Lazy, Unfolded)


def test_an_operator_without_an_example_is_named(tmp_path: Path) -> None:
    with pytest.raises(VerificationError, match="every operator must have an example; 'relu' has"):
        check_operators({"relu": Relu, "clip": Clip}, [Example(Clip(0, 3), (IMAGE,))], tmp_path)


def test_operators_are_checked_on_all_their_examples(tmp_path: Path) -> None:
    examples = [Example(Clip(0, 3), (IMAGE,)), Example(Sparse(), (IMAGE,))]
    floats = [Example(op, (TensorType((2,), FLOAT32),)) for op in (Clip(0, 3), Sparse())]
    del examples[0]  # its hardware is checked elsewhere
    with pytest.raises(VerificationError, match="sparse"):
        check_operators({"sparse": Sparse}, [*examples, *floats], tmp_path)


def test_an_example_that_does_not_fit_its_operator_is_refused() -> None:
    with pytest.raises(ModelError, match="operands must have one shape"):
        Example(Add(), (IMAGE, TensorType((2,), S8)))


def test_drawn_batches_have_both_extremes() -> None:
    batch = draw(IMAGE, 5, np.random.default_rng(0))
    assert batch.dtype == np.int8
    assert (batch[0] == -128).all()
    assert (batch[1] == 127).all()
    assert set(np.unique(batch[2])) == {-128, 127}
    assert len(np.unique(batch[3])) > 2
