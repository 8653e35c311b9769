"""The threads in which the event loop's calls run their services."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from control_plane.store.database import release

P = ParamSpec("P")
R = TypeVar("R")


class Hops(ThreadPoolExecutor):
    """A pool whose threads hold no database connection between two hops."""

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        def hop() -> R:
            try:
                return fn(*args, **kwargs)
            finally:
                release()

        return super().submit(hop)
