# SPDX-License-Identifier: Apache-2.0
"""A network of floats made ready to be trained in few bits, and frozen when it is.

Each weight becomes a parametrization: the full number is what is trained, its quantized form what
is used. Activations are quantized behind the input, behind each ReLU, before each layer with
weights that would else read other numbers (behind an average, say), and before each sum.
"""

from __future__ import annotations

import copy
import operator
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

import torch
from torch import fx, nn
from torch.nn import functional
from torch.nn.utils import parametrize

from intaglio.errors import ModelError, QuantizationError
from intaglio.train.metrics import evaluating
from intaglio.train.quantized.binary import Binary
from intaglio.train.quantized.clipq import ClipQ
from intaglio.train.quantized.fixed_range import fixed_activations, fixed_weights
from intaglio.train.quantized.learned import learned_activations, learned_weights
from intaglio.train.quantized.profiles import FlowNetActivations, PublishedClipQ, flownet_weights
from intaglio.train.quantized.quantizer import Grid, Quantizer
from intaglio.train.quantized.scheme import QatScheme
from intaglio.train.quantized.ternary import Ternary

WEIGHTED = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
#: What a quantizer's module is called, behind the name of the place it stands behind.
SUFFIX = "quantizer"
_RECTIFIED = (nn.ReLU, nn.ReLU6, functional.relu, functional.relu6, torch.relu, "relu")
#: Numbers move or are left out, and stay what they are.
_MOVING = (
    nn.MaxPool2d,
    nn.Flatten,
    nn.Identity,
    nn.Dropout,
    nn.Dropout2d,
    nn.Unflatten,
    nn.PixelShuffle,
    functional.max_pool2d,
    functional.dropout,
    torch.flatten,
    torch.reshape,
    torch.permute,
    torch.cat,
    "flatten",
    "reshape",
    "view",
    "permute",
    "transpose",
    "contiguous",
)
_SUMS = (operator.add, operator.iadd, torch.add, "add", "add_")
_AVERAGES = (
    nn.AvgPool2d,
    nn.AdaptiveAvgPool2d,
    functional.avg_pool2d,
    functional.adaptive_avg_pool2d,
    torch.mean,
    "mean",
)


def prepare(model: nn.Module, scheme: QatScheme) -> fx.GraphModule:
    """Return a copy of a network with quantizers by a scheme, its weights where they were.

    Learned scales of activations are still to be started: `calibrate`.

    Raises:
        ModelError: `torch.fx` cannot trace the network, or it has no layer with weights.
        QuantizationError: an override names no place of the network.
    """
    traced = _traced(_copy(model))
    places = _activations(traced, scheme)
    layers = _weights(traced, scheme)
    unknown = sorted(set(scheme.overrides) - {*places, *layers})
    if unknown:
        known = ", ".join(dict.fromkeys([*layers, *places]))
        raise QuantizationError(f"an override must name one of {known}, not {unknown[0]!r}")
    traced.recompile()
    return traced


def calibrate(model: nn.Module, images: torch.Tensor) -> None:
    """Start what the quantizers of activations learn from images, front to back.

    Shapes: images [N, C, H, W]: a batch is enough.
    """

    def start(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        if isinstance(module, Quantizer):
            module.initialize(inputs[0])

    with ExitStack() as stack:
        stack.enter_context(evaluating(model))
        stack.enter_context(torch.no_grad())
        for module in activation_quantizers(model).values():
            stack.enter_context(module.register_forward_pre_hook(start))
        model(images)


def frozen(model: nn.Module) -> nn.Module:
    """Return a copy in evaluation mode in which every weight is quantized once and for all.

    Each quantizer is a `Grid`, and so one `intaglio::fake_quantize` of constants or of activations.

    Exactness: the copy gives the very results of the model in evaluation mode.
    """
    result = _copy(model)
    for module in list(result.modules()):
        if not parametrize.is_parametrized(module, "weight"):
            continue
        weight = _latent(module)
        quantizer = _quantizer(module)
        with torch.no_grad():
            grid = quantizer.frozen(weight)
            weight.copy_(quantizer(weight))
        module.set_submodule("parametrizations.weight.0", grid)
    for name, quantizer in activation_quantizers(result).items():
        if type(quantizer) not in (Grid, FlowNetActivations):
            result.set_submodule(name, quantizer.frozen(torch.zeros(1, 1)))
    return result.eval().requires_grad_(requires_grad=False)


def activation_quantizers(model: nn.Module) -> dict[str, Quantizer]:
    """Return the quantizers of activations by their names."""
    return {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, Quantizer) and "parametrizations" not in name.split(".")
    }


def weight_quantizers(model: nn.Module) -> dict[str, Quantizer]:
    """Return the quantizers of weights by the names of their layers."""
    return {
        name: _quantizer(module)
        for name, module in model.named_modules()
        if parametrize.is_parametrized(module, "weight")
    }


def latent_weights(model: nn.Module) -> dict[str, torch.Tensor]:
    """Return the full weights, those that are trained, by the names of their layers."""
    return {
        name: _latent(module)
        for name, module in model.named_modules()
        if parametrize.is_parametrized(module, "weight")
    }


def _quantizer(layer: nn.Module) -> Quantizer:
    quantizer: Quantizer = layer.get_submodule("parametrizations.weight.0")  # type: ignore[assignment]
    return quantizer


def _latent(layer: nn.Module) -> torch.Tensor:
    return layer.get_parameter("parametrizations.weight.original")


def _copy(model: nn.Module) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch deprecates what it itself uses
        return copy.deepcopy(model)


class Rectifier(nn.ReLU):
    """ReLU before a grid that starts at 0, whose own low end does the same.

    While training it therefore lets everything pass, which saves its time. Of gradients only those
    at exactly 0 differ, which then pass.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the positive part, or in training all of it."""
        return x if self.training else functional.relu(x)


def _traced(model: nn.Module) -> fx.GraphModule:
    try:
        return fx.symbolic_trace(model)
    except (fx.proxy.TraceError, TypeError, ValueError, RuntimeError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelError(
            f"{type(model).__name__} must be traceable by torch.fx: {reason}"
        ) from None


def _weights(traced: fx.GraphModule, scheme: QatScheme) -> list[str]:
    """Give each weight its quantizer; return the names of the layers, in order."""
    layers = list(
        dict.fromkeys(
            str(node.target)
            for node in traced.graph.nodes
            if node.op == "call_module" and isinstance(_module(traced, node), WEIGHTED)
        )
    )
    if not layers:
        raise ModelError("the network must have a convolution or a dense layer; it has none")
    for name in layers:
        layer = traced.get_submodule(name)
        rule = scheme.of(name, first=name == layers[0], last=name == layers[-1])
        quantizer = _WEIGHTS[rule.method](layer.get_parameter("weight").detach(), rule)
        parametrize.register_parametrization(layer, "weight", quantizer)
    return layers


def _activations(traced: fx.GraphModule, scheme: QatScheme) -> list[str]:
    """Insert quantizers of activations; return the places behind which they stand."""
    places: dict[fx.Node, str] = {}
    for node in list(traced.graph.nodes):
        if node.op == "placeholder":
            most = (1 << scheme.input_bits) - 1
            image = Grid(torch.tensor([1.0 / most]), torch.zeros(1), 0, most)
            _insert(traced, node, image, places)
        elif _is(traced, node, _RECTIFIED):
            # The learned zero point of LSQ+ lets the grid start below 0.
            plain = node.op == "call_module" and type(_module(traced, node)) is nn.ReLU
            if plain and scheme.method != "lsq+":
                traced.set_submodule(str(node.target), Rectifier())
            _insert(traced, node, _rectified(_place(node), scheme), places)
    for node in list(traced.graph.nodes):
        if _is(traced, node, WEIGHTED) or _is(traced, node, _SUMS):
            inputs = node.all_input_nodes
            for source in inputs[:1] if _is(traced, node, WEIGHTED) else inputs:
                for origin in _origins(traced, source):
                    signed = not _never_negative(traced, origin)
                    rule = _activation(_place(origin), scheme, signed=signed)
                    _insert(traced, origin, rule, places)
    return list(dict.fromkeys(places.values()))


def _origins(traced: fx.GraphModule, node: fx.Node) -> Iterator[fx.Node]:
    """Yield the nodes, still without a quantizer, that compute what this one moves."""
    if _is(traced, node, (Quantizer,)):
        return
    if _is(traced, node, _MOVING):
        for source in node.all_input_nodes:
            yield from _origins(traced, source)
    else:
        yield node


def _never_negative(traced: fx.GraphModule, node: fx.Node) -> bool:
    if _is(traced, node, (Quantizer,)):
        return bool(_module(traced, node).low == 0)
    if _is(traced, node, (*_MOVING, *_AVERAGES, *_SUMS)):
        return all(_never_negative(traced, source) for source in node.all_input_nodes)
    return _is(traced, node, _RECTIFIED)


def _insert(
    traced: fx.GraphModule, node: fx.Node, quantizer: Quantizer, places: dict[fx.Node, str]
) -> None:
    """Put a quantizer behind a node, once."""
    if node in places:
        return
    name = f"{node.name}_{SUFFIX}"
    traced.add_submodule(name, quantizer)
    with traced.graph.inserting_after(node):
        behind = traced.graph.call_module(name, (node,))
    node.replace_all_uses_with(behind, delete_user_cb=lambda user: user is not behind)
    places[node] = _place(node)


def _place(node: fx.Node) -> str:
    return str(node.target) if node.op == "call_module" else node.name


def _is(traced: fx.GraphModule, node: fx.Node, kinds: tuple[object, ...]) -> bool:
    """Tell whether a node calls a module of these types, or one of these functions or methods."""
    if node.op == "call_module":
        types = tuple(kind for kind in kinds if isinstance(kind, type))
        return isinstance(_module(traced, node), types)
    return node.op in {"call_function", "call_method"} and node.target in kinds


def _module(traced: fx.GraphModule, node: fx.Node) -> nn.Module:
    return traced.get_submodule(str(node.target))


def _rectified(place: str, scheme: QatScheme) -> Quantizer:
    if scheme.method == "flownetq-published":
        return FlowNetActivations(scheme.activation_bits(place))
    return _activation(place, scheme, signed=False)


def _activation(place: str, scheme: QatScheme, *, signed: bool) -> Quantizer:
    bits = scheme.activation_bits(place)
    if scheme.method in {"fixed", "flownetq-published"}:
        range_ = scheme.activation_range if scheme.method == "fixed" else 1.0
        return fixed_weights(bits, range_) if signed else fixed_activations(bits, range_)
    return learned_activations(
        bits, signed=signed, power_of_two=scheme.power_of_two, plus=scheme.method == "lsq+"
    )


def _learned(weight: torch.Tensor, rule: QatScheme) -> Quantizer:
    return learned_weights(
        weight,
        rule.weights,
        channels=rule.per_channel,
        power_of_two=rule.power_of_two,
        plus=rule.method == "lsq+",
    )


_WEIGHTS: Mapping[str, Callable[[torch.Tensor, QatScheme], Quantizer]] = {
    "lsq": _learned,
    "lsq+": _learned,
    "fixed": lambda _, rule: fixed_weights(rule.weights, rule.weight_range),
    "binary": lambda _, rule: Binary(
        "channel" if rule.per_channel else "tensor", power_of_two=rule.power_of_two
    ),
    "ternary": lambda _, rule: Ternary(channels=rule.per_channel, power_of_two=rule.power_of_two),
    "clipq": lambda _, rule: ClipQ(rule.prune, rule.weights),
    "clipq-published": lambda _, rule: PublishedClipQ(rule.prune, rule.weights),
    "flownetq-published": lambda _, rule: flownet_weights(rule.weights),
}
