"""The rules for names that people choose: of users, projects, datasets, jobs, deployments; and for what stands beside
them as a title."""

import re
import unicodedata

from control_plane.domain.errors import FieldInvalid, NameInvalid

LONGEST_NAME = 64
LONGEST_TITLE = 200

_NAME = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{LONGEST_NAME - 1}}}")
_NOT_IN_NAMES = re.compile(r"[^a-z0-9._-]+")
_WRITTEN_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "å": "aa"})


def of_title(title: str) -> str:
    """A title as an allowed name: `Labor-Notizen März` → `labor-notizen-maerz`; empty if no letter of it is left."""
    written = unicodedata.normalize("NFC", title.lower()).translate(_WRITTEN_OUT)
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", written) if not unicodedata.combining(letter))
    return _NOT_IN_NAMES.sub("-", plain).strip("-._")[:LONGEST_NAME]


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
