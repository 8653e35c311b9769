"""What the threads have in common that watch work in the background: drafts, versions that are checked, labellings."""

from __future__ import annotations

import logging
from collections.abc import Callable

from control_plane.store.database import release

log = logging.getLogger(__name__)


class Stopped(Exception):
    """Somebody wished the work to end."""


def watched(what: str, work: Callable[[], None], again: Callable[[], object] = lambda: None) -> None:
    """Do the work at a thread's top: a fault is logged, `again` called, and the work begun anew when its turn comes."""
    try:
        work()
    except Exception:  # a loop's top: where nothing can be written, it is tried again later
        log.exception("%s could not be carried on", what)
        again()
    finally:
        release()
