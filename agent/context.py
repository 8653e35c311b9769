"""What every loop of the agent is handed: built once by main."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from agent.environment import Environments
from agent.isolation import OPEN, Sandbox
from agent.link.calls import Link
from agent.settings import Settings
from agent.storage.cache import Cache
from agent.storage.state import Store


@dataclass(frozen=True)
class Agent:
    """The parts; `stopping` is set once, when the agent is to end."""

    settings: Settings
    store: Store
    link: Link
    cache: Cache
    environments: Environments
    stopping: threading.Event
    sandbox: Sandbox = OPEN
