# SPDX-License-Identifier: Apache-2.0
"""A torch module as a graph, by way of torch.export.

The module is exported in evaluation mode and made functional, so in-place operators become plain
ones. Afterwards the exported operators run one by one on random input, and every value is compared
with the graph's.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from intaglio.errors import ModelError
from intaglio.frontend.aten import OPERATORS, Call, Operand
from intaglio.frontend.builder import Activation, Builder, Dropped, Imported, Site, UnsupportedError
from intaglio.frontend.check import Arrays, Range, check_import, random_inputs
from intaglio.ir.graph import Graph
from intaglio.passes import name_functions, name_quantizers, run_passes

if TYPE_CHECKING:
    import torch


def load_torch(module: torch.nn.Module, example: torch.Tensor, *, check: bool = True) -> Graph:
    """Read a float module as a graph, channels last, and run both on random input.

    The module's mode and weights stay as they are.

    Shapes: example [N, *frame]; its values do not matter.

    Raises:
        ModelError: the module cannot be exported, or an operator not converted exactly.
        VerificationError: graph and module differ; the text names the first differing node.
    """
    source = type(module).__name__
    with _evaluating(module):
        program = _exported(module, example)
    reader = _Reader(source, program, example)
    imported = reader.read()
    if check:

        def run(range_: Range) -> tuple[Arrays, Arrays]:
            inputs = random_inputs(imported, len(example), range_)
            return inputs, reader.values(imported, inputs)

        check_import(source, imported, run)
    return run_passes(imported.graph, [name_functions, name_quantizers])


@contextmanager
def _evaluating(module: torch.nn.Module) -> Iterator[None]:
    """Put a module and its parts into evaluation mode, and each back into its own after."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode


def _exported(module: torch.nn.Module, example: torch.Tensor) -> torch.export.ExportedProgram:
    import torch

    source = type(module).__name__
    if example.ndim < 2 or example.dtype != torch.float32 or 0 in example.shape:
        raise ModelError(
            f"{source}: the example must be a batch [N, *frame] of 32-bit floats, "
            f"not {example.dtype} {list(example.shape)}"
        )
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # torch deprecates what it itself uses
            exported = torch.export.export(module, (example,), strict=False)
            return exported.run_decompositions({})
    except (ArithmeticError, RuntimeError, TypeError, ValueError, AssertionError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelError(f"{source} must be exportable by torch.export: {reason}") from None


class _Reader:
    """One import under way, and the source's own evaluation for the check."""

    def __init__(
        self, source: str, program: torch.export.ExportedProgram, example: torch.Tensor
    ) -> None:
        self.source = source
        self.program = program
        self.example = example
        self.builder = Builder(source)
        self.weights = _weights(program)
        #: What each exported value is: of the network, or a tensor known now.
        self.found: dict[str, Activation | tuple[Activation, ...] | torch.Tensor] = {}

    def read(self) -> Imported:
        """Read every operator.

        Raises:
            ModelError: operators cannot be converted; the first is named, the others counted.
        """
        refusals: list[str] = []
        for node in self.program.graph.nodes:
            try:
                self._node(node)
            except UnsupportedError as error:
                advice = f" (nearest: {error.rewrite})" if error.rewrite else ""
                refusals.append(f"{_title(node)} {node.name!r}: {error}{advice}")
            except ModelError as error:
                refusals.append(f"{_title(node)} {node.name!r}: {error}")
        if refusals:
            more = f"; and {len(refusals) - 1} more" if len(refusals) > 1 else ""
            raise ModelError(f"{self.source}: {refusals[0]}{more}")
        try:
            return self.builder.finish([self._output(node) for node in self._outputs()])
        except ModelError as error:
            raise ModelError(f"{self.source}: {error}") from None

    def values(self, imported: Imported, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the exported operators on a batch and return every tensor they make."""
        import torch

        tensors = dict(self.weights)
        for origin, value in zip(imported.inputs, imported.graph.inputs, strict=True):
            array = imported.layouts[value.name].to_source(inputs[value.name])
            tensors[origin] = torch.from_numpy(array).to(self.example.device)
        names = [node.name for node in self.program.graph.nodes if node.op == "placeholder"]
        return _recorded(self.program.graph_module, [tensors[name] for name in names])

    def _node(self, node: torch.fx.Node) -> None:
        if node.op == "placeholder":
            self._placeholder(node)
        elif node.op == "call_function" and all(
            operand.name in self.found for operand in node.all_input_nodes
        ):
            self._operator(node)

    def _placeholder(self, node: torch.fx.Node) -> None:
        if node.name in self.weights:
            self.found[node.name] = self.weights[node.name]
        else:
            frame = tuple(self.example.shape[1:])
            self.found[node.name] = self.builder.input(node.name, frame, channels_first=True)

    def _operator(self, node: torch.fx.Node) -> None:
        if all(_is_tensor(self.found[n.name]) for n in node.all_input_nodes):
            self._evaluate(node)
            return
        function = OPERATORS.get(_title(node))
        if function is None:
            raise UnsupportedError("it has no counterpart here")
        positional, named = _resolved(node, self._operand)
        call = Call(
            positional,
            named,
            self.builder,
            Site(_name(node), node.name),
            len(self.example),
            tuple(self._sole(operand) for operand in node.all_input_nodes),
        )
        with np.errstate(all="ignore"):  # what overflows is refused as not finite
            result = function(call)
        if isinstance(result, Dropped):
            result = result.value
        self.found[node.name] = result

    def _sole(self, operand: torch.fx.Node) -> bool:
        """Tell whether one operator alone reads a value, under this name or any other."""
        value = self.found[operand.name]
        if not isinstance(value, Activation):
            return True
        maker = self.builder.nodes.get(value.name)
        return len(operand.users) == 1 and maker is not None and maker.origin == operand.name

    def _evaluate(self, node: torch.fx.Node) -> None:
        """Compute what depends on weights alone."""
        import torch

        positional, named = _resolved(node, self.found.__getitem__)
        function: Any = node.target
        with torch.no_grad():
            self.found[node.name] = function(*positional, **named)

    def _operand(self, name: str) -> Operand | tuple[Activation, ...]:
        found = self.found[name]
        if isinstance(found, Activation | tuple):
            return found
        array: np.ndarray = found.detach().cpu().double().numpy()
        return array

    def _outputs(self) -> list[Any]:
        (output,) = (node for node in self.program.graph.nodes if node.op == "output")
        return list(output.args[0])

    def _output(self, node: Any) -> tuple[str, Activation]:
        value = self.found.get(getattr(node, "name", ""))
        if not isinstance(value, Activation):
            raise ModelError(
                f"output {str(node)!r} must be computed from the input; it is constant"
            )
        return node.name, value


def _weights(program: torch.export.ExportedProgram) -> dict[str, torch.Tensor]:
    """Return the parameters, buffers and constants of a program by placeholder name."""
    tensors = {**program.constants, **program.state_dict}
    return {
        spec.arg.name: tensors[spec.target]
        for spec in program.graph_signature.input_specs
        if spec.target is not None and spec.target in tensors
    }


def _recorded(graph: torch.fx.GraphModule, arguments: list[torch.Tensor]) -> dict[str, np.ndarray]:
    """Run a graph and return what each of its operators made; of several results the first."""
    import torch

    seen: dict[str, np.ndarray] = {}

    class Recorder(torch.fx.Interpreter):
        def run_node(self, node: torch.fx.Node) -> Any:
            result = super().run_node(node)
            first = result[0] if isinstance(result, tuple | list) else result
            if isinstance(first, torch.Tensor):
                seen[node.name] = first.detach().cpu().numpy().copy()
            return result

    with torch.no_grad():
        Recorder(graph).run(*arguments)
    return seen


def _resolved(
    node: torch.fx.Node, find: Callable[[str], Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return a node's arguments with values in place of nodes."""
    from torch.fx.node import map_arg

    def resolve(operand: torch.fx.Node) -> Any:
        return find(operand.name)

    return map_arg((node.args, dict(node.kwargs)), resolve)


def _title(node: torch.fx.Node) -> str:
    """Name an operator without its overload: aten.conv2d."""
    if packet := getattr(node.target, "overloadpacket", None):
        return str(packet)
    return getattr(node.target, "__name__", node.op)


def _name(node: torch.fx.Node) -> str:
    """Name a node after the layer it belongs to, or after its operator where that is no layer."""
    stack = list(node.meta.get("nn_module_stack", {}).values())
    path, kind = stack[-1] if stack else ("", "")
    kind = kind if isinstance(kind, str) else kind.__module__
    return path if path and kind.startswith("torch.nn.modules") else node.name


def _is_tensor(found: Any) -> bool:
    import torch

    return isinstance(found, torch.Tensor)
