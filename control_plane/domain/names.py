"""The rules for names that people choose: of users, projects, datasets, jobs, deployments; and for what stands beside
them as a title."""

import re

from control_plane.domain.errors import FieldInvalid, NameInvalid

LONGEST_NAME = 64
LONGEST_TITLE = 200

_NAME = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{LONGEST_NAME - 1}}}")


def checked(name: str) -> str:
    """`name` itself, if it is allowed. Raises NameInvalid."""
    if not _NAME.fullmatch(name):
        raise NameInvalid(name=name[:80])
    return name


def checked_title(title: str) -> str:
    """`title` itself, if it is one line of at most 200 characters. Raises FieldInvalid."""
    if len(title) > LONGEST_TITLE or not title.isprintable():
        raise FieldInvalid(field="title", problem=f"≤ {LONGEST_TITLE}")
    return title
