# SPDX-License-Identifier: Apache-2.0
"""An engine: one program, ready to run on frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from intaglio.engine.assembly import NoKernelError
from intaglio.engine.library import library
from intaglio.engine.machine import Machine
from intaglio.engine.tape import assemble
from intaglio.errors import ModelError, ToolError, VerificationError
from intaglio.ir.execute import batches, trace
from intaglio.ir.graph import Graph, Program

#: Frames of the check that every engine passes before anyone gets it.
FRAMES = 2
#: What fits float32 exactly, and is quicker to read so.
_SMALL = {np.dtype(dtype) for dtype in ("uint8", "int8", "uint16", "int16", "float16", "float32")}


@dataclass(frozen=True, eq=False)
class Engine:
    """A program that runs fast, and exactly as the reference does.

    `wanted` names the values that `trace` returns; `reason` says why there is no machine and the
    reference runs the program itself, and is empty where there is one.
    """

    program: Program
    wanted: tuple[str, ...]
    machine: Machine | None
    reason: str = ""

    @property
    def graph(self) -> Graph:
        """The program's graph."""
        return self.program.graph

    def run(self, data: np.ndarray) -> np.ndarray:
        """Return the first output for a user's real batch, as real numbers.

        Shapes: data [N, *source frame] in the source model's axis order; result float64
        [N, *output frame]. Exactness: equal to `ir.execute.run_program`.

        Raises:
            ModelError: the shape is wrong or a number is not finite.
        """
        data = np.asarray(data)
        output = self.graph.outputs[0]
        if self.machine is None or data.dtype.kind not in "biuf":
            codes = self.frames(self.program.quantize_input(data))
            return self.program.quantization[output].dequantize(codes)
        channels_first = self._channels_first(data.shape)
        data = data.astype(np.float32 if data.dtype in _SMALL else np.float64, copy=False)
        (result,), finite = self.machine.run(data, channels_first, (output,), real=True)
        if not finite:
            self.program.quantize_input(data)  # raises, and says what is wrong
        return result

    def frames(self, codes: np.ndarray) -> np.ndarray:
        """Return the first output for integer frames; equal to `ir.execute.run_frames`.

        Shapes: codes [N, *frame] channels last; result [N, *output frame].

        Raises:
            ModelError: a frame has another shape or element than the program's input.
        """
        return self._integers(codes, self.graph.outputs[:1])[self.graph.outputs[0]]

    def trace(self, codes: np.ndarray) -> Mapping[str, np.ndarray]:
        """Return every wanted value for integer frames; equal to `ir.execute.trace`.

        Raises:
            ModelError: a frame has another shape or element than the program's input.
        """
        return self._integers(codes, self.wanted)

    def _integers(self, codes: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
        value = self.graph.inputs[0]
        codes, element = np.asarray(codes), value.type.integer
        if codes.ndim == 0 or codes.shape[1:] != value.type.shape:
            raise ModelError(f"input {value.name!r} must be [N]+{value.type}, not {codes.shape}")
        if not np.issubdtype(codes.dtype, np.integer) or not element.contains(codes):
            raise ModelError(f"input {value.name!r} must hold {element} integers")
        if self.machine is None:
            return self._reference(codes, names)
        codes = codes.astype(element.dtype, copy=False)
        results, _ = self.machine.run(codes, False, names, real=False)
        return dict(zip(names, results, strict=True))

    def _reference(self, codes: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
        types = self.graph.types
        found = {
            name: np.empty((len(codes), *types[name].shape), types[name].element.dtype)
            for name in names
        }
        for part in batches(len(codes)):
            values = trace(self.graph, {self.graph.inputs[0].name: codes[part]})
            for name in names:
                found[name][part] = values[name]
        return found

    def _channels_first(self, shape: tuple[int, ...]) -> bool:
        """Tell in which order a user's images come, as `Graph.frames` does.

        Raises:
            ModelError: in neither.
        """
        frame = self.graph.inputs[0].type.shape
        images = self.graph.channels_first and len(frame) == 3
        if images and shape[1:] == (frame[2], frame[0], frame[1]):
            return True
        if shape[1:] != frame:
            self.graph.frames(np.empty(shape, dtype=bool))  # raises, and says what is wrong
        return False


def engine(program: Program, wanted: Sequence[str] | None = None, *, threads: int = 1) -> Engine:
    """Make a program ready to run fast, and check it against the reference on random frames.

    Args:
        program: what to run.
        wanted: values that `Engine.trace` returns; the outputs by default.
        threads: how many threads share a batch.

    Raises:
        ModelError: a wanted value is not the program's, or there is not at least one thread.
        VerificationError: kernels and reference differ; the text names the value.
    """
    names = tuple(dict.fromkeys((*program.graph.outputs, *(wanted or ()))))
    for name in names:
        if name not in program.graph.types or name in program.graph.constants:
            raise ModelError(f"a wanted value must be computed by the program, not {name!r}")
    if threads < 1:
        raise ModelError(f"threads must be at least 1, not {threads}")
    try:
        library()
        made = Engine(program, names, Machine(assemble(program, names), threads))
    except (NoKernelError, ToolError) as error:
        return Engine(program, names, None, str(error))
    _check(made)
    return made


def _check(made: Engine) -> None:
    value = made.graph.inputs[0]
    random = np.random.default_rng(0)
    element, shape = value.type.integer, (FRAMES, *value.type.shape)
    codes = random.integers(element.min, element.max, shape, endpoint=True).astype(element.dtype)
    expected = trace(made.graph, {value.name: codes})
    for name, found in made.trace(codes).items():
        if not np.array_equal(found, expected[name]):
            raise VerificationError(
                f"the kernels must give value {name!r} of {made.graph.name!r} as the reference does"
            )
