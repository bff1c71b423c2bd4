# SPDX-License-Identifier: Apache-2.0
"""One training on several processes, as `torchrun` starts them; without it, on this one alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed, nn

from intaglio.errors import IntaglioError


@dataclass(frozen=True)
class Place:
    """Which of how many processes this is, and the device it computes on."""

    device: torch.device
    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def share(self, batch: torch.Tensor) -> torch.Tensor:
        """Return this process's part of a batch."""
        return batch[self.rank :: self.count]

    def wrapped(self, model: nn.Module) -> nn.Module:
        """Return a module whose gradients are the mean over all processes."""
        if self.count == 1:
            return model
        return nn.parallel.DistributedDataParallel(model)

    def agree(self, model: nn.Module) -> None:
        """Give all processes the first one's running statistics."""
        if self.count > 1:
            for buffer in model.buffers():
                distributed.broadcast(buffer, 0)

    def total(self, value: float) -> float:
        """Return the sum over all processes."""
        if self.count == 1:
            return value
        number = torch.tensor([value], dtype=torch.float64, device=self.device)
        distributed.all_reduce(number)
        return float(number)

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self.count > 1:
            distributed.barrier()


@contextmanager
def placed(device: str) -> Iterator[Place]:
    """Join the processes that `torchrun` started, if it did, while training lasts.

    Raises:
        IntaglioError: the device is unknown, or not there.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    local = _device(device, int(os.environ.get("LOCAL_RANK", "0")) if count > 1 else None)
    if count == 1:
        yield Place(local)
        return
    if local.type == "cuda":
        torch.cuda.set_device(local)
    distributed.init_process_group("nccl" if local.type == "cuda" else "gloo")
    try:
        yield Place(local, distributed.get_rank(), count)
        distributed.barrier()  # none leaves while another still needs it
    finally:
        distributed.destroy_process_group()


def _device(name: str, index: int | None) -> torch.device:
    try:
        device = torch.device(name)
    except RuntimeError:
        raise IntaglioError(f"the device must be cpu or cuda, not {name!r}") from None
    if device.type not in {"cpu", "cuda"}:
        raise IntaglioError(f"the device must be cpu or cuda, not {name!r}")
    if device.type == "cuda" and not torch.cuda.is_available():
        raise IntaglioError("the device must be there; torch finds no cuda: use cpu")
    if device.type == "cuda" and index is not None:
        return torch.device("cuda", index)
    return device
