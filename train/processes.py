"""The processes that train one recognizer together, as ``torchrun`` starts them; most often, one."""

from __future__ import annotations

import os
import re
import traceback
import typing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from curation.core.errors import UserError

T = TypeVar("T")
PATIENCE = timedelta(hours=2)  # of those that wait while the first packs words or reads the held-out ones
LOST = re.compile(r"gloo|nccl|connection|socket|store", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Processes:
    """This process among those that train together.

    Attributes:
        rank: Number of this one, from 0; the first alone writes.
        count: How many there are.
        local_rank: Number among those of this machine, which is that of its GPU.
        local_count: How many there are on this machine.
    """

    rank: int = 0
    count: int = 1
    local_rank: int = 0
    local_count: int = 1

    @classmethod
    def from_environment(cls) -> Processes:
        """Read what ``torchrun`` says; without it, there is one."""
        keys = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
        if not all(os.environ.get(key, "").isdecimal() for key in keys):
            return cls()
        rank, count, local_rank, local_count = (int(os.environ[key]) for key in keys)
        return cls(rank=rank, count=count, local_rank=local_rank, local_count=local_count)

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def device(self, kind: str) -> torch.device:
        """The device of this process, of the kind ``cpu`` or ``cuda``.

        Raises:
            UserError: there are fewer GPUs than processes on this machine.
        """
        if kind == "cpu" or self.count == 1:
            return torch.device(kind)
        if self.local_rank >= (n := torch.cuda.device_count()):
            raise UserError(
                f"{self.local_count} processes were started on a machine with {n} GPUs. "
                f"Start torchrun with --nproc-per-node {n}."
            )
        torch.cuda.set_device(self.local_rank)
        return torch.device(kind, self.local_rank)

    def part(self, n: int) -> slice:
        """Which of ``n`` words are this process's."""
        return parts(n, self.count)[self.rank]

    def first(self, work: Callable[[], T]) -> T:
        """Do ``work`` in the first process while the others wait; all return what it returned.

        Raises:
            UserError: raised by ``work``; the others leave without another word.
        """
        if self.count == 1:
            return work()
        box: list[object] = [None, None]
        if self.is_first:
            try:
                box[0] = work()
            except UserError as error:
                box[1] = str(error)
        dist.broadcast_object_list(box)
        if box[1] is not None:
            raise UserError(str(box[1])) if self.is_first else SystemExit(1)
        return box[0]  # type: ignore[return-value]

    def total(self, values: Tensor) -> Tensor:
        """The sum of ``values`` over the processes, in each of them; in place."""
        if self.count > 1:
            dist.all_reduce(values)
        return values

    def gather(self, value: T) -> list[T]:
        """The ``value`` of each process, by rank, in all of them."""
        if self.count == 1:
            return [value]
        found: list[T | None] = [None] * self.count
        dist.all_gather_object(found, value)
        return typing.cast("list[T]", found)

    def together(self, module: nn.Module, device: torch.device) -> nn.Module:
        """Wrap ``module`` so that gradients are averaged over the processes as they are computed.

        Buffers are left as they are: the statistics of batch norms are those of the first one's words.
        """
        if self.count == 1:
            return module
        ids = [device.index] if device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(module, device_ids=ids, forward_sync_buffers=False)


def parts(n: int, count: int) -> list[slice]:
    """Divide ``n`` words into ``count`` runs, as equal as can be."""
    bounds = [i * n // count for i in range(count + 1)]
    return [slice(start, stop) for start, stop in pairwise(bounds)]


ALONE = Processes()


@contextmanager
def joined(processes: Processes, device: torch.device) -> Iterator[None]:
    """Let the processes find each other, and part at the end.

    Raises:
        UserError: one of them has ended before its time.
    """
    if processes.count == 1:
        yield
        return
    try:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
        try:
            yield
        except BaseException as error:
            _let_go(error)
            raise
        finally:
            dist.destroy_process_group()
    except RuntimeError as error:
        if not (isinstance(error, dist.DistError) or LOST.search(str(error))):
            raise
        raise UserError(
            "another of the processes that train together has ended, and this one cannot go on alone. "
            "See what it said, and give the same command again: it goes on from the last checkpoint."
        ) from error


def _let_go(error: BaseException) -> None:
    """Drop what the frames behind ``error`` still hold, the network among it.

    Whoever holds a network of several processes last ends the group's threads with it, and hangs for ever if
    one of them is waiting for the interpreter's lock just then.
    """
    found: BaseException | None = error
    while found is not None:
        traceback.clear_frames(found.__traceback__)
        found = found.__cause__ or found.__context__
