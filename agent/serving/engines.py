"""The serving engines that a machine may use, and which of them it does.

xllamacpp comes ready-made. Where it cannot be installed, llama-cpp-python does the same with less: it is compiled, and
answers one request at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent.build import BuildFailed
from agent.environment import Environments
from agent.settings import EngineChoice, Settings

_FOLDER = Path(__file__).parent / "engine"


@dataclass(frozen=True)
class Kind:
    """An engine: its script, what its environment needs, and the codes that say what it means for a reader."""

    name: EngineChoice
    script: Path
    requirements: Path
    building: str  # while its environment is built
    serving: str = ""  # while it serves

    def needs(self, settings: Settings) -> str:
        """What its environment is made from."""
        listed, wheels = self.requirements.read_text(), settings.engine_wheels
        return f"--find-links {wheels}\n--prefer-binary\n{listed}" if wheels else listed


XLLAMACPP = Kind(
    EngineChoice.XLLAMACPP, _FOLDER / "engine.py", _FOLDER / "requirements.txt", building="engine_environment"
)
LLAMA_CPP = Kind(
    EngineChoice.LLAMA_CPP,
    _FOLDER / "llama_cpp_engine.py",
    _FOLDER / "llama_cpp_requirements.txt",
    building="engine_compiling",
    serving="engine_fallback",
)


def choose(
    environments: Environments, settings: Settings, log: Path, tick: Callable[[], None], building: Callable[[str], None]
) -> tuple[Kind, Path]:
    """The engine to start and its interpreter: the first that is there, else the first that can be built.

    `building` is told the code of what is built, which takes minutes. Raises BuildFailed.
    """
    kinds = [kind for kind in (XLLAMACPP, LLAMA_CPP) if settings.engine in (EngineChoice.AUTO, kind.name)]
    for kind in kinds:
        if environments.has(kind.needs(settings)):
            return kind, environments.ensure(kind.needs(settings), "", log, tick).python
    failed = []
    for kind in kinds:
        building(kind.building)
        try:
            return kind, environments.ensure(kind.needs(settings), "", log, tick).python
        except BuildFailed as problem:
            failed.append(f"{kind.name}: {problem}")
    raise BuildFailed("; ".join(failed))


def meaning(name: str) -> str:
    """The code of what it means for a reader that this engine serves; empty where there is nothing to say."""
    return next((kind.serving for kind in (XLLAMACPP, LLAMA_CPP) if kind.name == name), "")
