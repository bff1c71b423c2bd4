# SPDX-License-Identifier: Apache-2.0
"""Model files that are not ONNX, known by their first bytes, and how each becomes ONNX.

Source: FlatBuffers file identifiers, the HDF5 and zip signatures, the GGUF and safetensors
specifications, Python's pickle opcodes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """A kind of file: what lies where in it, what to call it, what to do with it."""

    place: int
    mark: bytes
    name: str
    advice: str

    def fits(self, start: bytes) -> bool:
        """Tell whether a file begins so."""
        return start[self.place : self.place + len(self.mark)] == self.mark


_TORCH = "load it in torch and give the module itself, or write it with torch.onnx.export"

FORMATS = (
    Format(4, b"TFL3", "TensorFlow Lite", "convert the float model: tf2onnx --tflite"),
    Format(4, b"ORTM", "ONNX Runtime's own", "give the ONNX file it was made from"),
    Format(0, b"\x89HDF\r\n\x1a\n", "HDF5, as Keras writes", "load it in Keras: model.export ONNX"),
    Format(0, b"PK\x03\x04", "zip, as torch.save and Keras write", _TORCH),
    Format(0, b"\x80\x02", "pickle, as torch.save writes", _TORCH),
    Format(0, b"\x80\x04", "pickle", _TORCH),
    Format(0, b"\x80\x05", "pickle", _TORCH),
    Format(0, b"GGUF", "GGUF", "it holds weights alone: give the network as ONNX"),
    Format(8, b'{"', "safetensors", "it holds no foreign network: give the network as ONNX"),
)
#: More than any mark needs.
START = 16


def foreign(start: bytes) -> Format | None:
    """Return the format of a file that is not ONNX, by its first bytes, if it is a known one."""
    return next((format_ for format_ in FORMATS if format_.fits(start)), None)
