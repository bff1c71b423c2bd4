# SPDX-License-Identifier: Apache-2.0
"""A program as an ONNX model of real numbers between quantizers.

    real = scale * (code - zero_point)

Every integer of the program is the code of a real of the model. ONNX gives a quantizer one scale,
so a multiplier and a shift have to be a quotient of scales, and the weights' scales are chosen so
that it is that exactly:

    weight scale[k] = result scale * multiplier[k] / 2^shift / operand scale

All results have the input's scale times a power of two, the one nearest to the true scale; so this
has 16 significant bits, and times a weight's code 24: float32 holds it. The last result is brought
to its true scale, so that both ends mean what they mean in the program.

Rounding half up, where ONNX rounds half to even, is an addend of half of the distance between the
sums there can be, which is multiplier's lowest bit / 2^shift in codes: no number is a tie then, no
other one is rounded otherwise, and all are as far from where codes change as they can be.
"""
