# SPDX-License-Identifier: Apache-2.0
"""Nodes whose operands are all known: weights that are prepared, shapes that are computed.

Exporters write a flatten as Shape, Gather, Unsqueeze, Concat, Reshape. What needs no activation is
computed here while reading, by the reference implementation of the onnx package, which is plain
numpy. As a file may be hostile, only operators of a list are computed, results have to be of
foreseeable size, and all of them together of limited size.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from intaglio.frontend.builder import UnsupportedError
from intaglio.frontend.onnx.inference import SHOWN, check_inferable
from intaglio.frontend.onnx.operators.pointwise import check_shares
from intaglio.frontend.onnx.source import DTYPES, SourceNode

if TYPE_CHECKING:
    import onnx

#: No constant that is computed while reading may be larger, nor all of them together.
MAX_CONSTANT = 1 << 26
#: Of operands and results that are computed element by element in Python, for all nodes together.
MAX_SLOW = 1 << 17
#: Of products of matrices.
MAX_PRODUCTS = 1 << 32

_NUMPY = (
    "Abs Acos Acosh Add And Asin Asinh Atan Atanh BatchNormalization BitShift BitwiseAnd "
    "BitwiseNot BitwiseOr BitwiseXor Cast CastLike Ceil Clip Concat Constant ConstantOfShape "
    "Cos Cosh CumSum DepthToSpace Div Dropout Elu Equal Erf Exp Expand EyeLike Flatten Floor "
    "Gather Gelu Gemm Greater GreaterOrEqual HardSigmoid HardSwish Identity IsInf IsNaN "
    "LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax MatMul Max Mean Min Mish Mod "
    "Mul Neg Not Or PRelu Pad Pow Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum "
    "ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu "
    "Reshape Round Selu Shape Sigmoid Sign Sin Sinh Size Slice Softmax Softplus Softsign "
    "SpaceToDepth Split Sqrt Squeeze Sub Sum Swish Tan Tanh Tile Transpose Trilu Unsqueeze "
    "Where Xor"
)
_SLOW = (
    "ArgMax ArgMin Compress GatherElements GatherND NonZero OneHot ScatterElements ScatterND "
    "TopK Unique"
)
_COMPUTED = frozenset((_NUMPY + " " + _SLOW).split())
_SLOW_ONES = frozenset(_SLOW.split())
#: Results whose size depends on values, and is no larger than that of the operands.
_SHRINKING = frozenset({"Compress", "NonZero", "Slice", "Unique"})
_PRODUCTS = frozenset({"Gemm", "MatMul"})
_DIVISIONS = frozenset({"Div", "Mod"})
_SHARES = frozenset({"LogSoftmax", "Softmax"})


class Constants:
    """What one import computes while reading: how much of it there may still be."""

    def __init__(self, opset: int) -> None:
        self.opset = opset
        self.left = MAX_CONSTANT
        self.left_slow = MAX_SLOW
        self.left_products = MAX_PRODUCTS
        #: Names of constants that come from the shape of an activation.
        self.sizes: set[str] = set()

    def evaluate(
        self, node: SourceNode, operands: Sequence[np.ndarray | None]
    ) -> tuple[np.ndarray, ...]:
        """Compute the results of a node from its constant operands.

        Raises:
            UnsupportedError: the operator is not among those that are computed, its operands do
                not fit it, or the result is too large.
        """
        if node.domain or node.op not in _COMPUTED:
            raise UnsupportedError(
                "its operands are constants, of which it is not computed here",
                "an export with constant folding",
            )
        if any(value is None for value in node.attributes.values()):
            raise UnsupportedError("its attributes must be numbers, words and arrays of numbers")
        if node.op != "Constant" and all(array is None for array in operands):
            raise UnsupportedError("its operands must be given")
        check_inferable(node)
        self._check_division(node, operands)
        if node.op in _SHARES and operands[0] is not None:
            check_shares(self.opset, operands[0].shape, int(node.attributes.get("axis", 1)))
        given = {f"i{i}": array for i, array in enumerate(operands) if array is not None}
        model = _model(node, given, self.opset)
        sizes = [array.size for array in given.values()]
        self._charge(node, _foreseen(model, node, given), sizes)
        if self.sizes.intersection(node.inputs):
            self.sizes.update(node.outputs)
        return _run(model, node, given)

    def _check_division(self, node: SourceNode, operands: Sequence[np.ndarray | None]) -> None:
        """Refuse integer divisions on which a processor traps, whatever the batch will be.

        Source: x86 raises its divide error for a divisor of 0 and for the least integer by -1, and
        ONNX Runtime 1.31 does not look at the latter.
        """
        divisor = operands[1] if node.op in _DIVISIONS and len(operands) > 1 else None
        if divisor is None or not np.issubdtype(divisor.dtype, np.integer):
            return
        if np.isin(divisor, (0, -1)).any() or node.inputs[1] in self.sizes:
            raise UnsupportedError(
                "an integer must not be divided by 0, by -1 or by a size of an activation"
            )

    def _charge(self, node: SourceNode, sizes: Sequence[int], read: Sequence[int]) -> None:
        """Count results against what may still be computed."""
        for size in sizes:
            if size > MAX_CONSTANT:
                raise UnsupportedError(
                    f"a constant must have at most {MAX_CONSTANT} elements, not {size}"
                )
        self.left -= sum(sizes)
        self.left_slow -= sum(sizes) + sum(read) if node.op in _SLOW_ONES else 0
        if node.op in _PRODUCTS:  # of m*k and k*n numbers to m*n: so many products
            self.left_products -= math.isqrt(math.prod([*read[:2], *sizes]))
        if min(self.left, self.left_slow, self.left_products) < 0:
            raise UnsupportedError(
                "the constants that a model computes must be fewer in all",
                "an export with constant folding",
            )


def _model(node: SourceNode, given: dict[str, np.ndarray], opset: int) -> onnx.ModelProto:
    """Make a model of one node: its operands i0, i1, .. and results o0, o1, .."""
    import onnx
    from onnx import helper, numpy_helper

    proto = onnx.NodeProto()
    proto.CopyFrom(node.proto)
    proto.domain = ""
    del proto.input[:], proto.output[:]
    proto.input.extend(f"i{i}" if f"i{i}" in given else "" for i in range(len(node.inputs)))
    proto.output.extend(f"o{i}" if name else "" for i, name in enumerate(node.outputs))
    graph = onnx.GraphProto(name="constants", node=[proto])
    for name, array in given.items():
        element = helper.np_dtype_to_tensor_dtype(array.dtype)
        graph.input.append(helper.make_tensor_value_info(name, element, array.shape))
        if array.size <= SHOWN:
            graph.initializer.append(numpy_helper.from_array(array, name))
    graph.output.extend(onnx.ValueInfoProto(name=name) for name in proto.output if name)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def _run(
    model: onnx.ModelProto, node: SourceNode, given: dict[str, np.ndarray]
) -> tuple[np.ndarray, ...]:
    from onnx.reference import ReferenceEvaluator

    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # whatever numpy deprecates
            found = ReferenceEvaluator(model).run(None, given)
    except _ERRORS as error:
        raise _misfit(error) from None
    results = iter(found)
    made = [np.asarray(next(results)) if name else np.zeros(0) for name in node.outputs]
    if any(array.dtype not in _NUMBERS for array in made):
        raise UnsupportedError("a constant must be an array of numbers")
    return tuple(made)


def _misfit(error: Exception) -> UnsupportedError:
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    return UnsupportedError(f"its constant operands do not fit it: {reason}")


def _foreseen(model: onnx.ModelProto, node: SourceNode, given: dict[str, np.ndarray]) -> list[int]:
    """Return how many elements each result will have.

    Raises:
        UnsupportedError: that cannot be told, or it takes too long.
    """
    from onnx.shape_inference import InferenceError, infer_shapes

    if node.op in _PRODUCTS and any(
        a.dtype not in (np.float32, np.float64) for a in given.values()
    ):
        raise UnsupportedError("a product of constants must be of floats of 32 or 64 bits")
    try:
        outputs = infer_shapes(model).graph.output
    except (InferenceError, *_ERRORS) as error:
        raise _misfit(error) from None
    sizes: list[int] = []
    for output in outputs:
        kind = output.type.tensor_type
        known = kind.HasField("shape") and all(d.HasField("dim_value") for d in kind.shape.dim)
        if not known and node.op not in _SHRINKING:
            raise UnsupportedError("its constant operands must tell the size of its result")
        most = sum(array.size * array.ndim for array in given.values())
        sizes.append(math.prod(d.dim_value for d in kind.shape.dim) if known else most)
    return sizes


_NUMBERS = frozenset(np.dtype(dtype) for dtype in DTYPES.values())
#: What numpy and the reference implementation raise for operands that do not fit.
_ERRORS = (
    ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, RuntimeError,
    TypeError, ValueError,
)  # fmt: skip
