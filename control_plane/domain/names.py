"""The rule for names that people choose: of users, projects, datasets, jobs, deployments."""

import re

from control_plane.domain.errors import NameInvalid

LONGEST_NAME = 64

_NAME = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{LONGEST_NAME - 1}}}")


def checked(name: str) -> str:
    """`name` itself, if it is allowed. Raises NameInvalid."""
    if not _NAME.fullmatch(name):
        raise NameInvalid(name=name[:80])
    return name
