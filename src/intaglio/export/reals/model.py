# SPDX-License-Identifier: Apache-2.0
"""The ONNX model while it grows: nodes, initializers, names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from intaglio.artifact import version

#: What the operators need; 16-bit and 4-bit integers need more.
OPSET = 13
OPSET_OF_OTHER_WIDTHS = 21
#: By opset, the version that tools of its day take.
IR_VERSIONS = {13: 7, 21: 10}


@dataclass
class Model:
    """Nodes in order and constants; `opset` rises with what is put in. It ends in `encoded`."""

    opset: int = OPSET
    domains: dict[str, int] = field(default_factory=dict)
    nodes: list[Any] = field(default_factory=list)
    initializers: dict[str, Any] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def put(
        self, op: str, *operands: str, name: str = "", domain: str = "", **attributes: Any
    ) -> str:
        """Append a node and return the name of its result."""
        from onnx import helper

        result = self.fresh(name or f"{operands[0]}/{op}")
        made = helper.make_node(
            op, list(operands), [result], name=result, domain=domain, **attributes
        )
        self.nodes.append(made)
        return result

    def rename(self, tensor: str, name: str) -> None:
        """Give a tensor, as it is at the end, a name that was kept for it."""
        from onnx import helper

        self.nodes.append(helper.make_node("Identity", [tensor], [name], name=name))

    def fresh(self, name: str) -> str:
        """Return a name nobody has, which is the one wished for if it can be."""
        wished, number = name, 1
        while name in self.taken:
            number += 1
            name = f"{wished}~{number}"
        self.taken.add(name)
        return name

    def floats(self, numbers: float | np.ndarray, name: str) -> str:
        """Add a constant of float32."""
        return self.constant(np.asarray(numbers, np.float32), name)

    def whole(self, numbers: list[int], name: str) -> str:
        """Add a constant of int64, as shapes and axes are."""
        return self.constant(np.asarray(numbers, np.int64), name)

    def constant(self, array: np.ndarray, name: str) -> str:
        """Add a constant."""
        from onnx import numpy_helper

        name = self.fresh(name)
        self.initializers[name] = numpy_helper.from_array(np.asarray(array, order="C"), name)
        return name

    def integers(self, codes: np.ndarray, bits: int, name: str, *, signed: bool) -> str:
        """Add a constant of integers of 4, 8, 16 or 32 bits."""
        from onnx import TensorProto, helper

        if bits != 4:
            kind = f"{'' if signed else 'u'}int{bits}"
            return self.constant(codes.astype(kind), name)
        name = self.fresh(name)
        kind = TensorProto.INT4 if signed else TensorProto.UINT4
        self.initializers[name] = helper.make_tensor(name, kind, codes.shape, codes.ravel())
        return name

    def needs(self, bits: int) -> None:
        """Note that quantizers of a width are used."""
        if bits not in (8, 32):
            self.opset = OPSET_OF_OTHER_WIDTHS

    def encoded(
        self, name: str, inputs: dict[str, Any], outputs: dict[str, Any], about: dict[str, str]
    ) -> bytes:
        """Return the file's contents.

        Args:
            name: of the graph.
            inputs: frame shapes by name; the batch is open.
            outputs: likewise.
            about: metadata.
        """
        from onnx import TensorProto, checker, helper

        ends = [
            [
                helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", *shape])
                for n, shape in end.items()
            ]
            for end in (inputs, outputs)
        ]
        graph = helper.make_graph(self.nodes, name, *ends, list(self.initializers.values()))
        opsets = [helper.make_opsetid("", self.opset)]
        opsets += [helper.make_opsetid(domain, opset) for domain, opset in self.domains.items()]
        model = helper.make_model(
            graph,
            opset_imports=opsets,
            ir_version=IR_VERSIONS[self.opset],
            producer_name="intaglio",
            producer_version=version(),
        )
        helper.set_model_props(model, about)
        if not self.domains:
            checker.check_model(model, full_check=True)
        return model.SerializeToString()
