# SPDX-License-Identifier: Apache-2.0
"""`intaglio train NET --data DIR`: a network in floats or in few bits, resumed at will."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intaglio.cli.arguments import positive
from intaglio.cli.outcome import Outcome
from intaglio.errors import IntaglioError
from intaglio.flow import load, quantize
from intaglio.ops.store import save_program

if TYPE_CHECKING:
    from intaglio.train.augment import Jitter
    from intaglio.train.quantized.scheme import Override, QatScheme
    from intaglio.train.trained import Trained

HELP = "train a network in floats, or in few bits"
AUGMENTS = ("none", "digits", "photos")
_OVERRIDE = "--override must be like conv1=weights:4,method:lsq or relu1=activations:3"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "network",
        metavar="NET",
        help="lenet5, nin, sign_cnn, cnv, resnet8, mobilenet, or module:function",
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="MNIST, CIFAR, Sign-MNIST, image folders or a .npz file (default: digits)",
    )
    parser.add_argument(
        "--download",
        metavar="NAME",
        help="fetch mnist, fashion_mnist, cifar10 or cifar100 into DIR first",
    )
    parser.add_argument(
        "-o", dest="output", type=Path, metavar="FOLDER", help="default: build/train/NET"
    )
    _add_recipe(parser)
    _add_scheme(parser)


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--epochs", type=int, default=30, metavar="N", help="default: 30")
    parser.add_argument("--batch-size", type=int, default=64, metavar="N", help="default: 64")
    parser.add_argument("--lr", type=positive, default=3e-3, metavar="RATE", help="default: 0.003")
    parser.add_argument("--optimizer", default="adam", metavar="NAME", help="adam (default) or sgd")
    parser.add_argument("--momentum", type=float, default=0.9, help="of sgd (default 0.9)")
    parser.add_argument("--weight-decay", type=float, default=0.0, metavar="SHARE")
    parser.add_argument(
        "--precision", default="float32", metavar="TYPE", help="float32 (default) or bfloat16"
    )
    parser.add_argument("--augment", choices=AUGMENTS, default="none", help="distort images a bit")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="default: 1")
    parser.add_argument(
        "--validation", type=float, default=0.0, metavar="SHARE", help="hold back training images"
    )
    parser.add_argument(
        "--patience", type=int, metavar="N", help="stop after N epochs that brought nothing"
    )
    parser.add_argument("--device", default="cpu", metavar="NAME", help="cpu (default) or cuda")
    parser.add_argument(
        "--init", type=Path, metavar="CHECKPOINT", help="of a float training, to start from"
    )


def _add_scheme(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--weights", type=int, metavar="BITS", help="1 to 8")
    parser.add_argument("--activations", type=int, metavar="BITS", help="1 to 8")
    parser.add_argument(
        "--method", metavar="NAME", help="lsq (default), lsq+, fixed, binary, ternary or clipq"
    )
    parser.add_argument("--first", type=int, metavar="BITS", help="of the first layer's weights")
    parser.add_argument("--last", type=int, metavar="BITS", help="of the last layer's weights")
    parser.add_argument("--prune", type=float, metavar="SHARE", help="of clipq (default 0.4)")
    parser.add_argument(
        "--tradeoff",
        type=float,
        metavar="X",
        help="of clipq: search share and bits of each layer; X errors for a share of bits saved",
    )
    parser.add_argument("--per-channel", action="store_true", help="a scale for each channel")
    parser.add_argument("--power-of-two", action="store_true", help="scales of powers of two only")
    parser.add_argument(
        "--override",
        action="append",
        default=[],
        metavar="NAME=KEY:VALUE,..",
        help="what is different in one layer, e.g. conv1=weights:4 or relu1=activations:3",
    )


def run(arguments: argparse.Namespace) -> Outcome:
    """Train, or go on training, and write the folder."""
    from intaglio.train import require

    require("torch", "torch", "training")
    from intaglio.train.data import load_dataset
    from intaglio.train.job import Job, run_job
    from intaglio.train.recipe import Recipe

    scheme = _scheme(arguments)
    recipe = Recipe(
        arguments.epochs,
        arguments.batch_size,
        arguments.lr,
        arguments.seed,
        arguments.optimizer,
        arguments.momentum,
        arguments.weight_decay,
        _augment(arguments.augment),
        arguments.threads,
        arguments.validation,
        arguments.patience,
        arguments.precision,
    )
    _download(arguments)
    folder = arguments.output or Path("build/train") / arguments.network.replace(":", ".")
    dataset = load_dataset(arguments.data)
    job = Job(
        arguments.network,
        dataset,
        recipe,
        folder,
        scheme,
        arguments.tradeoff,
        arguments.init,
        arguments.device,
    )
    trained, result = run_job(job)
    program = _program(arguments, folder, trained)
    document = {
        "network": arguments.network,
        "data": dataset.name,
        "scheme": None if trained.scheme is None else str(trained.scheme),
        "accuracy": result.accuracy,
        "test_images": len(dataset.test_labels),
        "epochs": result.epochs,
        "seconds": result.seconds,
        "parameters": sum(parameter.numel() for parameter in trained.module.parameters()),
        "folder": str(folder),
        "program": None if program is None else str(program),
    }
    text = (
        f"{folder}: {arguments.network} on {dataset.name}, {trained.scheme or 'floats'}: {result}"
    )
    return Outcome(text, document)


def _program(arguments: argparse.Namespace, folder: Path, trained: Trained) -> Path | None:
    """Write the integers of a network trained in few bits."""
    if trained.scheme is None or int(os.environ.get("RANK", "0")) > 0:
        return None
    path = folder / f"{arguments.network.replace(':', '.')}.program"
    program = quantize(load(trained.module, example=trained.example))
    save_program(path, program, scheme=str(trained.scheme))
    return path


def _download(arguments: argparse.Namespace) -> None:
    if arguments.download is None:
        return
    from intaglio.train.data.download import SOURCES, download

    if arguments.download not in SOURCES:
        known = ", ".join(SOURCES)
        raise IntaglioError(f"--download must be one of {known}, not {arguments.download!r}")
    if arguments.data is None:
        raise IntaglioError("--download must have a folder to fetch into: give --data DIR")
    download(SOURCES[arguments.download], arguments.data)


def _augment(name: str) -> Jitter | None:
    from intaglio.train.augment import Jitter

    known = {
        "none": None,
        "digits": Jitter(),
        "photos": Jitter(shift_pixels=3.0, turn_degrees=0.0, stretch=0.1, slant=0.0, mirror=True),
    }
    return known[name]


def _scheme(arguments: argparse.Namespace) -> QatScheme | None:
    """Return the scheme, or None where nothing of one was asked for."""
    from intaglio.train.quantized.scheme import QatScheme

    names = ("weights", "activations", "method", "first", "last", "prune")
    given: dict[str, Any] = {
        name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None
    }
    flags: dict[str, Any] = {
        name: True for name in ("per_channel", "power_of_two") if getattr(arguments, name)
    }
    overrides = dict(_override(text) for text in arguments.override)
    if not given and not flags and not overrides:
        return None
    bits = {"binary": 1, "ternary": 2, "clipq": 2}.get(given.get("method", ""))
    if bits is not None:
        given.setdefault("weights", bits)
    if given.get("weights") == 1:
        given.setdefault("method", "binary")
    return QatScheme(**given, **flags, overrides=overrides)


def _override(text: str) -> tuple[str, Override]:
    """Read `conv1=weights:4,method:lsq`.

    Raises:
        IntaglioError: the text is not of that form.
    """
    from intaglio.train.quantized.scheme import Override

    kinds: dict[str, Any] = {"weights": int, "activations": int, "method": str, "prune": float}
    name, _, rest = text.partition("=")
    values = {}
    for part in rest.split(","):
        key, _, value = part.partition(":")
        try:
            values[key] = kinds[key](value)
        except (KeyError, ValueError):
            raise IntaglioError(f"{_OVERRIDE}, not {text!r}") from None
    if not name:
        raise IntaglioError(f"{_OVERRIDE}, not {text!r}")
    return name, Override(**values)
