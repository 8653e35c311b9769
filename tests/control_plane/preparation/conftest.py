"""Files as somebody brings them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from control_plane.domain.preparation import Source

Brought = Callable[[str, bytes], Source]


@pytest.fixture
def brought(tmp_path: Path) -> Brought:
    """Writes a file and says where it lies."""

    def write(name: str, content: bytes) -> Source:
        path = tmp_path / "brought"
        path.write_bytes(content)
        return Source(name, str(path))

    return write
