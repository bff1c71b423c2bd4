# SPDX-License-Identifier: Apache-2.0
"""A torch module as a graph, by way of torch.export: ATen operators, one short function each.

The module is exported in evaluation mode and made functional, so in-place operators become plain
ones. Afterwards the exported operators run one by one on random input, and every value is compared
with the graph's.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from intaglio.errors import ModelError
from intaglio.frontend.builder import Activation, Builder, Imported, Site, UnsupportedError
from intaglio.frontend.check import check_import, random_inputs
from intaglio.frontend.layout import reshape_target
from intaglio.ir.graph import Graph
from intaglio.ops.windows import Padding, Pair

if TYPE_CHECKING:
    import torch

_LOG = logging.getLogger(__name__)


def load_torch(module: torch.nn.Module, example: torch.Tensor, *, check: bool = True) -> Graph:
    """Read a float module as a graph, channels last, and run both on random input.

    The module's mode and weights stay as they are. A last softmax is left out, with a warning in
    the log.

    Shapes: example [N, *frame]; its values do not matter.

    Raises:
        ModelError: the module cannot be exported, or an operator not converted exactly.
        VerificationError: graph and module differ; the text names the first differing node.
    """
    with evaluating(module):
        program = _exported(module, example)
    reader = _Reader(type(module).__name__, program, example)
    imported = reader.read()
    if check:
        inputs = random_inputs(imported, len(example))
        check_import(reader.source, imported, inputs, reader.values(imported, inputs))
    return imported.graph


@contextmanager
def evaluating(module: torch.nn.Module) -> Iterator[None]:
    """Put a module and its parts into evaluation mode, and each back into its own after."""
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes.items():
            part.training = mode


def _exported(module: torch.nn.Module, example: torch.Tensor) -> torch.export.ExportedProgram:
    import torch

    source = type(module).__name__
    if example.ndim < 2 or not example.is_floating_point() or 0 in example.shape:
        raise ModelError(
            f"{source}: the example must be a batch [N, *frame] of floats, "
            f"not {example.dtype} {list(example.shape)}"
        )
    try:
        with torch.no_grad():
            exported = torch.export.export(module, (example,), strict=False)
            return exported.run_decompositions({})
    except (RuntimeError, TypeError, ValueError, AssertionError, torch._dynamo.exc.TorchDynamoException) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelError(f"{source} must be exportable by torch.export: {reason}") from None


# --- reading -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Dropped:
    """The result of an operator that is left out although it computes something, and why."""

    value: Activation
    why: str


Operand = Activation | np.ndarray
Result = Activation | Dropped


@dataclass(frozen=True)
class Call:
    """One ATen operator while it is read: its arguments by position or name, tensors resolved."""

    arguments: tuple[Any, ...]
    named: Mapping[str, Any]
    builder: Builder
    site: Site
    batch: int
    sole: bool
    readers: frozenset[str]

    def get(self, index: int, key: str, default: Any = None) -> Any:
        """Return an argument."""
        if index < len(self.arguments):
            return self.arguments[index]
        return self.named.get(key, default)

    def activation(self, index: int = 0) -> Activation:
        """Return an argument that must be computed by the network."""
        found = self.get(index, "")
        if not isinstance(found, Activation):
            raise UnsupportedError(f"argument {index + 1} must come from the network's input")
        return found

    def array(self, index: int, key: str) -> np.ndarray | None:
        """Return a constant tensor argument of finite numbers, or None where it is absent."""
        found = self.get(index, key)
        if found is None:
            return None
        if not isinstance(found, np.ndarray):
            raise UnsupportedError(f"argument {key} must be constant")
        if bad := int(np.count_nonzero(~np.isfinite(found))):
            raise UnsupportedError(
                f"argument {key} must be finite, not NaN or infinite in {bad} of {found.size} numbers"
            )
        return found

    def pair(self, index: int, key: str, default: Any) -> Pair:
        """Return an argument that is one or two integers."""
        found = self.get(index, key, default)
        values = [found] if isinstance(found, int) else list(found)
        if len(values) not in (1, 2) or not all(isinstance(n, int) for n in values):
            raise UnsupportedError(f"argument {key} must be one or two integers, not {found}")
        return int(values[0]), int(values[-1])

    def frame_axis(self, axis: int, rank: int) -> int:
        """Turn an axis of a batch of this rank into an axis of its frames."""
        positive = axis + rank if axis < 0 else axis
        if not 0 < positive < rank:
            raise UnsupportedError(f"the batch axis must be left alone, not be axis {axis}")
        return positive - 1


class _Reader:
    """One import under way, and the source's own evaluation for the check."""

    def __init__(
        self, source: str, program: torch.export.ExportedProgram, example: torch.Tensor
    ) -> None:
        self.source = source
        self.program = program
        self.example = example
        self.found: dict[str, Operand] = {}
        self.stands_for: dict[str, str] = {}
        self.builder = Builder(source)
        self.weights = _weights(program)

    def read(self) -> Imported:
        """Read every operator.

        Raises:
            ModelError: operators cannot be converted; the first is named, the others counted.
        """
        refusals: list[str] = []
        for node in self.program.graph.nodes:
            try:
                self._node(node)
            except ModelError as error:
                refusals.append(f"{_operator(node)} {node.name!r}: {error}")
        if refusals:
            more = f"; and {len(refusals) - 1} more" if len(refusals) > 1 else ""
            raise ModelError(f"{self.source}: {refusals[0]}{more}")
        (output,) = (node for node in self.program.graph.nodes if node.op == "output")
        names = [self._name(node) for node in output.args[0]]
        ends = [(self.stands_for.get(n, n), self.found[n]) for n in names]
        try:
            return self.builder.finish([(n, v) for n, v in ends if isinstance(v, Activation)])
        except ModelError as error:
            raise ModelError(f"{self.source}: {error}") from None

    def values(
        self, imported: Imported, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Run the exported operators and return every tensor they make."""
        import torch

        feeds: dict[str, torch.Tensor] = {}
        for origin, value in zip(imported.inputs, imported.graph.inputs, strict=True):
            array = imported.layouts[value.name].to_source(inputs[value.name])
            feeds[origin] = torch.from_numpy(array).to(self.example.device)
        recorder = _recorder(self.program.graph_module)
        tensors = {**self.weights, **feeds}
        names = [node.name for node in self.program.graph.nodes if node.op == "placeholder"]
        with torch.no_grad():
            recorder.run(*(tensors[name] for name in names))
        return dict(recorder.seen)

    def _node(self, node: torch.fx.Node) -> None:
        if node.op == "placeholder":
            self._placeholder(node)
        elif node.op == "call_function" and self._alive(node):
            self._call(node)

    def _alive(self, node: torch.fx.Node) -> bool:
        """Tell whether an operand is an activation we know; others failed before, or are dead."""
        return all(name in self.found for name in map(self._name, node.all_input_nodes))

    def _placeholder(self, node: torch.fx.Node) -> None:
        if node.name in self.weights:
            self.found[node.name] = self.weights[node.name].detach().cpu().double().numpy()
        else:
            frame = tuple(self.example.shape[1:])
            self.found[node.name] = self.builder.input(node.name, frame, channels_first=True)
