# SPDX-License-Identifier: Apache-2.0
"""Why an operator has no counterpart here, and the nearest thing that has one.

Source: the operators of ONNX, of ONNX Runtime's domain `com.microsoft`, and of QONNX, whose domain
has had several names.
"""

from __future__ import annotations

from intaglio.frontend.builder import UnsupportedError

_FLOAT_MODEL = "the float model it was made from, quantized here"
_QONNX = ("onnx.brevitas", "finn.custom_op", "qonnx.custom_op")
_QUANTIZED = frozenset({
    "BipolarQuant", "ConvInteger", "DequantizeLinear", "DynamicQuantizeLinear",
    "DynamicQuantizeMatMul", "FloatQuant", "IntQuant", "MatMulInteger", "MatMulIntegerToFloat",
    "MatMulNBits", "MultiThreshold", "QAttention", "QGemm", "Quant", "QuantizeLinear", "Trunc",
})  # fmt: skip
_RECURRENT = frozenset({"GRU", "LSTM", "RNN"})
_BRANCHING = frozenset({"If", "Loop", "Scan"})

#: The nearest operator that can be read.
REWRITES = {
    "GlobalLpPool": "GlobalAveragePool",
    "GroupNormalization": "BatchNormalization",
    "InstanceNormalization": "BatchNormalization",
    "LRN": "BatchNormalization, or leave it out and train again",
    "LayerNormalization": "BatchNormalization",
    "LpPool": "AveragePool",
    "ThresholdedRelu": "Relu",
}


def unsupported(domain: str, op: str) -> UnsupportedError:
    """Say why an operator that nothing reads cannot be read."""
    if quantized(domain, op):
        return UnsupportedError(
            "it is a quantized operator of a kind that is not read", _FLOAT_MODEL
        )
    if op in _RECURRENT:
        return UnsupportedError(
            "recurrent layers are not computed", "Conv over steps as image rows"
        )
    if op in _BRANCHING:
        return UnsupportedError(
            "a network must not branch or loop", "an export with fixed sizes and for inference"
        )
    if domain:
        return UnsupportedError(
            f"it is not of the standard domain but of {domain!r}", "an export of standard operators"
        )
    return UnsupportedError("it has no counterpart here", REWRITES.get(op, ""))


def quantized(domain: str, op: str) -> bool:
    """Tell whether an operator makes or takes integers that stand for floats."""
    return op in _QUANTIZED or op.startswith("QLinear") or domain.startswith(_QONNX)
