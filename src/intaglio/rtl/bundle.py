# SPDX-License-Identifier: Apache-2.0
"""Write a design as a folder that any SystemVerilog tool takes: the Bundle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from intaglio import artifact
from intaglio.arch.design import Design
from intaglio.arch.store import design_bytes, read_design
from intaglio.engine import engine
from intaglio.errors import ArtifactError
from intaglio.folder import replaced, require_room, restore
from intaglio.hw import library
from intaglio.hw.unit import Stream
from intaglio.ir.graph import Program
from intaglio.numerics.types import IntType
from intaglio.rtl.page import page
from intaglio.rtl.testbench import testbench
from intaglio.rtl.top import Names, axis_width, image_file, module_name, top_level
from intaglio.rtl.vectors import hex_beats, to_beats

MANIFEST = "manifest.json"
DESIGN = "design.intaglio"
#: Frames that the bundle's own bench drives when the caller gives none.
VECTOR_FRAMES = 2


@dataclass(frozen=True)
class Bundle:
    """A written bundle: its folder, top module and manifest."""

    folder: Path
    top: str
    manifest: Mapping[str, Any]

    @property
    def sources(self) -> tuple[str, ...]:
        """What is synthesised, relative to the folder."""
        return tuple(self.manifest["sources"])

    @property
    def models(self) -> tuple[str, ...]:
        """What only simulation needs, relative to the folder."""
        return tuple(self.manifest["models"])

    @property
    def simulated(self) -> tuple[str, ...]:
        """What is simulated: the models, and the sources but for those that a model stands for."""
        names = {PurePosixPath(model).name for model in self.models}
        sources = (name for name in self.sources if PurePosixPath(name).name not in names)
        return (*sources, *self.models)

    @property
    def gate_level(self) -> bool:
        """Whether it is the netlist of a bundle, which no lint or name of a stream applies to."""
        return bool(self.manifest.get("gate_level", False))

    @property
    def placed(self) -> tuple[tuple[str, ...], str]:
        """The sources and the top module that are synthesised and placed."""
        around = self.manifest.get("placed")
        if around is None:
            return self.sources, self.top
        return (*self.sources, str(around["source"])), str(around["top"])

    @property
    def architecture(self) -> str:
        """What kind of design it holds: dataflow or systolic."""
        return str(self.manifest.get("architecture", "dataflow"))

    @property
    def sha256(self) -> str:
        """Hash of everything in the bundle."""
        return str(self.manifest["sha256"])

    def design(self) -> Design:
        """Return the dataflow design the bundle was written from.

        Raises:
            ArtifactError: it was written from one of another architecture.
        """
        if self.architecture != "dataflow":
            raise ArtifactError(
                f"{self.folder} must hold a dataflow design for this, not a {self.architecture} one"
            )
        return read_design(self.folder / DESIGN)

    @classmethod
    def load(cls, folder: str | Path) -> Bundle:
        """Open a bundle and check every file against its checksum.

        Raises:
            ArtifactError: it is no bundle, or a file is missing or was changed.
        """
        folder = Path(folder)
        restore(folder)
        try:
            manifest = json.loads((folder / MANIFEST).read_text())
            files = _listed(manifest)
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason = f"it has no {error}" if isinstance(error, KeyError) else error
            raise ArtifactError(f"{folder} must be a bundle: {MANIFEST}: {reason}") from None
        changed = [name for name, digest in files.items() if not _holds(folder / name, digest)]
        if manifest["sha256"] != artifact.content_hash("bundle", files, {}):
            changed.append(MANIFEST)
        if changed:
            raise ArtifactError(
                f"{folder / changed[0]} must be as it was written; it was changed or removed: "
                f"emit again"
            )
        return cls(folder, manifest["top"], manifest)


def _listed(manifest: Any) -> dict[str, str]:
    """Return a manifest's checksums by file, once it is sure to hold all that is read of it.

    Raises:
        ValueError, KeyError, TypeError: it does not.
    """
    files = dict(manifest["files"])
    texts = {key: manifest[key] for key in ("top", "device", "sha256")}
    sources, named = list(manifest["sources"]), [DESIGN, *manifest["models"]]
    if (placed := manifest.get("placed")) is not None:
        texts["placed top"] = placed["top"]
        named.append(placed["source"])
    for key, text in texts.items():
        if not isinstance(text, str):
            raise ValueError(f"{key} must be a text, not {text!r}")
    for name in (*named, *sources):
        if name not in files:
            raise ValueError(f"files must list {name}, and do not")
    if f"rtl/{manifest['top']}.sv" not in sources:
        raise ValueError(f"sources must have a module {manifest['top']}, not only {sources}")
    if manifest.get("architecture", "dataflow") == "dataflow":
        for port in ("s_axis", "m_axis"):
            stream_of(manifest, port)
    return files


def stream_of(manifest: Mapping[str, Any], port: str) -> Stream:
    """Return the stream of a dataflow design's port, as its manifest has it."""
    shape = manifest["streams"][port]
    return Stream(int(shape["lanes"]), IntType.parse(shape["element"]), int(shape["beats"]))


def emit(design: Design, folder: str | Path, frames: np.ndarray | None = None) -> Bundle:
    """Write a design's bundle, replacing an older bundle of the same folder.

    Args:
        design: what to write.
        folder: where; it must be absent, empty, or hold a bundle.
        frames: integer frames for the bundle's bench, [N, *frame]; a few random ones by default.

    Raises:
        ArtifactError: the folder holds something else.
    """
    module = module_name(design.graph.name)
    files, sources, models = _files(design, module, frames)
    about = {
        "device": design.device.name,
        "sources": sources,
        "models": models,
        "streams": _streams(design),
        "cycles": {"latency": design.cycles.latency, "interval": design.cycles.interval},
    }
    return write_bundle(folder, module, files, about)


def write_bundle(
    folder: str | Path, module: str, files: Mapping[str, bytes], about: Mapping[str, Any]
) -> Bundle:
    """Write a bundle's files and its manifest, replacing an older bundle of the same folder.

    Args:
        folder: where; it must be absent, empty, or hold a bundle.
        module: the top module.
        files: contents by path.
        about: what the manifest says beside checksums and provenance.

    Raises:
        ArtifactError: the folder holds something else.
    """
    folder = Path(folder)
    require_room(folder, MANIFEST, "bundle")
    digests = {name: _digest(data) for name, data in sorted(files.items())}
    manifest = {
        "kind": "bundle",
        "schema": artifact.SCHEMA,
        "top": module,
        **about,
        "files": digests,
        "sha256": artifact.content_hash("bundle", digests, {}),
        "provenance": artifact.provenance(),
    }
    with replaced(folder) as fresh:
        text = json.dumps(manifest, indent=2) + "\n"
        for name, data in {**files, MANIFEST: text.encode()}.items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).write_bytes(data)
    return Bundle(folder, module, manifest)


def _files(
    design: Design, module: str, frames: np.ndarray | None
) -> tuple[dict[str, bytes], list[str], list[str]]:
    """Return all files by path, and which of them are sources and which simulation models."""
    files: dict[str, str] = {}
    family = design.device.family
    blocks = {"loop_counter", *(b for i in design.instances for b in i.unit.blocks)}
    for block in sorted(blocks):
        files[f"rtl/{block}.sv"] = library.source(block, family).read_text()
    files[f"rtl/{module}.sv"] = top_level(design, module)
    sources = sorted(files)
    for model in library.models(family, blocks):
        files[f"sim/{model.name}"] = model.read_text()
    models = sorted(set(files) - set(sources))
    names = Names.of(design)
    for instance in design.instances:
        for image in instance.unit.images:
            base = image_file(names, instance, image.parameter)
            for number, text in enumerate(image.texts()):
                files[f"{base}_{number}.hex"] = text
    frames = stimulus(design.program) if frames is None else frames
    into, out = next(iter(design.inputs.values())), design.output_stream
    expected = engine(design.program).frames(frames)
    files["vectors/input.hex"] = hex_beats(to_beats(frames, into), axis_width(into))
    files["vectors/expected.hex"] = hex_beats(to_beats(expected, out), axis_width(out))
    files[f"sim/{module}_tb.sv"] = testbench(design, module, len(frames))
    files["README.md"] = page(design, module)
    data = {name: text.encode() for name, text in files.items()}
    data[DESIGN] = design_bytes(design)
    return data, sources, models


def stimulus(program: Program) -> np.ndarray:
    """Return a few random frames of a program's input, always the same."""
    type_ = program.graph.inputs[0].type
    element = type_.integer
    random = np.random.default_rng(0)
    return random.integers(element.min, element.max + 1, (VECTOR_FRAMES, *type_.shape))


def _streams(design: Design) -> dict[str, dict[str, Any]]:
    into, out = next(iter(design.inputs.values())), design.output_stream
    return {
        port: {"lanes": s.lanes, "element": str(s.element), "beats": s.beats}
        for port, s in (("s_axis", into), ("m_axis", out))
    }


def _holds(path: Path, digest: str) -> bool:
    return path.is_file() and _digest(path.read_bytes()) == digest


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
