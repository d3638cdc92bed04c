"""Where independent tasks run: in processes of this machine, or on Ray."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from curation.core import pool, ray_pool
from curation.core.errors import UserError, unknown_name

R = TypeVar("R")
EXECUTORS = ("processes", "ray")


@dataclass(frozen=True, kw_only=True, slots=True)
class Executor:
    """A choice of where tasks run; results do not depend on it.

    Attributes:
        name: One of ``EXECUTORS``.
        ray_address: A running Ray cluster, such as ``auto`` or ``head:6379``; None for a Ray of this
            machine that begins and ends with the work. The files that tasks read and write must be on
            storage that all its machines share, under the same paths.
    """

    name: str = "processes"
    ray_address: str | None = None

    def __post_init__(self) -> None:
        if self.name not in EXECUTORS:
            raise unknown_name("executor", self.name, EXECUTORS)
        if self.ray_address is not None and self.name != "ray":
            raise UserError("--ray-address is for --executor ray. Add that, or leave the address out.")

    def run_tasks(
        self,
        work: Callable[..., R],
        tasks: Sequence[tuple[Any, ...]],
        *,
        jobs: int,
        total: int,
        unit: str,
        what: str,
    ) -> Iterator[R]:
        """Yield ``work(*task, tick)`` for every task as they end; see ``pool.run_tasks``.

        A cluster at ``ray_address`` decides by its own cores how many tasks run at once, not ``jobs``.
        """
        if self.name == "processes":
            return pool.run_tasks(work, tasks, jobs=jobs, total=total, unit=unit, what=what)
        return ray_pool.run_tasks(
            work, tasks, jobs=jobs, total=total, unit=unit, what=what, address=self.ray_address
        )


PROCESSES = Executor()
