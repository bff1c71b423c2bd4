# SPDX-License-Identifier: Apache-2.0
"""Where bits can be chosen in a network: values that layers read, together with those layers.

The bits of a product are those of a layer's weights and of the value it reads. Layers that read one
value are one place, so that what places cost adds up.
"""

from __future__ import annotations

import glob
from collections.abc import Mapping
from dataclasses import dataclass, replace

from intaglio.ir.graph import Graph, Node
from intaglio.numerics.types import IntType
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.conv_transpose2d import ConvTranspose2d
from intaglio.ops.matmul import Matmul
from intaglio.quantize.build import Build
from intaglio.quantize.cost import INTERVAL, Cost, layer_cost
from intaglio.quantize.program import KEEPING
from intaglio.quantize.scheme import Override, Scheme


@dataclass(frozen=True)
class Place:
    """The value whose codes are chosen, and the layers with weights that read them."""

    value: str
    layers: tuple[str, ...]

    def overrides(self, scheme: Scheme, weights: int, activations: int) -> tuple[Override, ...]:
        """Return the exceptions that give this place so many bits."""
        types = with_bits(scheme, weights, activations)
        layers = (Override(glob.escape(n), weights=types.weights) for n in self.layers)
        return (Override(glob.escape(self.value), activations=types.activations), *layers)


def with_bits(scheme: Scheme, weights: int, activations: int) -> Scheme:
    """Return a scheme with other widths of its types."""
    sign = "u" if scheme.weight_rule == "affine" else "s"
    signed = scheme.activation_type.signed
    return replace(
        scheme, weights=f"{sign}{weights}", activations=f"{'s' if signed else 'u'}{activations}"
    )


def places(graph: Graph) -> tuple[Place, ...]:
    """Return all places of a network that is `prepared`, in the order of computing."""
    found: dict[str, list[str]] = {}
    for node, value in _read(graph).items():
        found.setdefault(value, []).append(node)
    return tuple(Place(value, tuple(layers)) for value, layers in found.items())


def cost(graph: Graph, scheme: Scheme, interval: int = INTERVAL, only: Place | None = None) -> Cost:
    """Return what a network that is `prepared` costs by a scheme, or one of its places."""
    build = Build(graph, scheme)
    total = Cost()
    for name, value in _read(graph).items():
        if only is not None and name not in only.layers:
            continue
        node = graph.producers[name]
        x: IntType = build.scheme_of(value).activation_type
        total += layer_cost(graph, node, build.scheme_of(build.tail(node).name), x, interval)
    return total


def _read(graph: Graph) -> Mapping[str, str]:
    """Return of each layer with weights the value whose codes it reads, wherever they are moved."""
    build = Build(graph, Scheme())
    ends = [build.tail(node) for node in graph.nodes if type(node.op) not in KEEPING]
    rectified = {name for tail in ends for name in tail.names[1:]}

    def coded(name: str) -> str:
        node: Node | None = graph.producers.get(name)
        while node is not None and type(node.op) in KEEPING and name not in rectified:
            name = node.inputs[0]
            node = graph.producers.get(name)
        return name

    layers = Conv2d | ConvTranspose2d | Matmul
    return {n.name: coded(n.inputs[0]) for n in graph.nodes if isinstance(n.op, layers)}
