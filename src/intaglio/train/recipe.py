# SPDX-License-Identifier: Apache-2.0
"""How a network is trained: every setting that decides its weights, in one value."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import torch
from torch import nn

from intaglio.errors import IntaglioError
from intaglio.train.augment import Jitter
from intaglio.train.quantized.quantizer import Quantizer

OptimizerName = Literal["adam", "sgd"]
#: What layers compute in while training; weights, gradients and optimizer stay float32.
Precision = Literal["float32", "bfloat16"]
#: Learned scales move at this share of the rate of weights: Adam steps by the rate itself, and a
#: scale is a tenth of what it scales.
SCALE_RATE = 0.1


@dataclass(frozen=True)
class Recipe:
    """Epochs, batches, optimizer, and what is held back.

    One thread is the default: on small networks a second gains a quarter on an idle machine, costs
    ten times the time where another process wants its core, and changes how sums round.
    `precision` is that of the layers: bfloat16 is two to four times as fast where the processor
    has it, and rounds their results to 8 bits; accuracies are measured in float32 all the same.
    `validation` is the share of the training images, its last ones, that is not trained on;
    `patience` stops after so many epochs without a better accuracy on it, and takes the best.

    Raises:
        IntaglioError: a setting is out of range.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    seed: int
    optimizer: OptimizerName = "adam"
    momentum: float = 0.9
    weight_decay: float = 0.0
    augment: Jitter | None = None
    threads: int = 1
    validation: float = 0.0
    patience: int | None = None
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        _at_least("the number of epochs", self.epochs, 1)
        _at_least("the batch size", self.batch_size, 1)
        if not 0 < self.learning_rate < math.inf:
            raise IntaglioError(
                f"the learning rate must be positive and finite, not {self.learning_rate}"
            )
        _at_least("the seed", self.seed, 0)
        _at_least("the number of threads", self.threads, 1)
        _one_of("the optimizer", self.optimizer, get_args(OptimizerName))
        _one_of("the precision", self.precision, get_args(Precision))
        for what, value in (
            ("the momentum", self.momentum),
            ("the weight decay", self.weight_decay),
            ("the share held back", self.validation),
        ):
            if not 0 <= value < 1:
                raise IntaglioError(f"{what} must be 0 or more and below 1, not {value}")
        if self.patience is not None:
            _at_least("the patience", self.patience, 1)
            if not self.validation:
                raise IntaglioError(
                    "stopping early must have images to judge by, not the test images: "
                    "hold back a share of those for training"
                )

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON types."""
        return asdict(self) | {"augment": repr(self.augment)}

    def rate(self, fraction: float) -> float:
        """Return the learning rate when this fraction of the steps is done: half a cosine."""
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * fraction))

    def computing(self, device: torch.device) -> AbstractContextManager[object]:
        """Return a context in which layers compute in the precision."""
        return torch.autocast(device.type, torch.bfloat16, enabled=self.precision == "bfloat16")

    @property
    def layout(self) -> torch.memory_format:
        """How images and weights lie in memory: by pixels, where layers of bfloat16 want that."""
        half = self.precision == "bfloat16"
        return torch.channels_last if half else torch.contiguous_format

    def make_optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        """Return the optimizer; what quantizers learn goes slower, and does not decay."""
        scales = {
            id(parameter)
            for module in model.modules()
            if isinstance(module, Quantizer)
            for parameter in module.parameters()
        }
        rest = [p for p in model.parameters() if id(p) not in scales]
        slow = [p for p in model.parameters() if id(p) in scales and p.requires_grad]
        groups: list[dict[str, Any]] = [
            {"params": rest, "weight_decay": self.weight_decay, "share": 1.0}
        ]
        if slow:
            groups.append({"params": slow, "weight_decay": 0.0, "share": SCALE_RATE})
        if self.optimizer == "adam":
            return torch.optim.Adam(groups, lr=self.learning_rate)
        return torch.optim.SGD(groups, lr=self.learning_rate, momentum=self.momentum)


def _one_of(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise IntaglioError(f"{what} must be {' or '.join(known)}, not {value!r}")


def _at_least(what: str, value: int, least: int) -> None:
    if value < least:
        raise IntaglioError(f"{what} must be {least} or more, not {value}")
