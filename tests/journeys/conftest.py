"""One place for all journeys of a module, and tiny models that know nothing but go the whole way."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.conftest import browser

from built_wheel import build, install
from method_environments import write_tiny_models
from place import Place

__all__ = ["browser"]  # a fixture


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.journey)
            item.add_marker(pytest.mark.torch)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of an environment that has the wheel of this checkout, and nothing of the checkout itself."""
    folder = tmp_path_factory.mktemp("wheel")
    return install(build(folder), folder / "environment", "control-plane,agent")


@pytest.fixture(scope="module")
def wheel_place(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A place of that environment, whose commands are run in an empty folder."""
    empty = tmp_path_factory.mktemp("empty")
    place = Place(tmp_path_factory.mktemp("place"), [str(installed / "tunesmith")], empty, PYTHONPATH="")
    yield place
    place.down()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with random models `llama` and `gpt_neox` and the rows to train them on."""
    return write_tiny_models(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def place(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A running installation whose agent may import from the tiny models' folder."""
    place = Place(tmp_path_factory.mktemp("place"), TUNESMITH_AGENT_IMPORT_ROOTS=str(tiny))
    place.up()
    yield place
    place.down()
