"""Names from titles in any script."""

from __future__ import annotations

import pytest

from control_plane.domain.names import LONGEST_NAME, checked, of_title


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Machine fault reports", "machine-fault-reports"),
        ("Meine Notizen März 2026", "meine-notizen-maerz-2026"),
        ("Ma\u0308rz", "maerz"),  # composed, as macOS writes file names
        ("Données d’été", "donnees-d-ete"),
        ("…a_b.c…", "a_b.c"),
        ("实验室", ""),
        ("x" * 100, "x" * LONGEST_NAME),
    ],
)
def test_a_title_becomes_a_name(title: str, name: str) -> None:
    assert of_title(title) == name
    if name:
        assert checked(name) == name
