# SPDX-License-Identifier: Apache-2.0
"""Files of other formats are named, with the way to ONNX."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path

import pytest

from intaglio.errors import ModelError
from intaglio.frontend import load


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("data.pkl", b"")
    return buffer.getvalue()


def _safetensors() -> bytes:
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(4)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x1c\0\0\0TFL3" + bytes(20), "TensorFlow Lite: convert the float model: tf2onnx"),
        (b"\x1c\0\0\0ORTM" + bytes(20), "ONNX Runtime's own: give the ONNX file it was made from"),
        (b"\x89HDF\r\n\x1a\n" + bytes(20), "HDF5, as Keras writes: load it in Keras: "),
        (_zip(), "zip, as torch.save and Keras write: load it in torch and give the module"),
        (pickle.dumps([1], protocol=2), "pickle, as torch.save writes: load it in torch"),
        (pickle.dumps([1], protocol=5), "pickle: load it in torch"),
        (b"GGUF\x03\0\0\0" + bytes(20), "GGUF: it holds weights alone"),
        (_safetensors(), "safetensors: it holds no foreign network"),
    ],
)
def test_a_foreign_file_is_named(tmp_path: Path, data: bytes, text: str) -> None:
    path = tmp_path / "model"
    path.write_bytes(data)
    with pytest.raises(ModelError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: it must be an ONNX file, not {text}")
    assert "\n" not in str(caught.value)
