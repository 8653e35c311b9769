"""The rules for names that people choose: of users, projects, datasets, jobs, deployments; and for what stands beside
them: a title, a description, tags."""

import re
import unicodedata
from collections.abc import Iterable

from control_plane.domain.errors import FieldInvalid, NameInvalid

LONGEST_NAME = 64
LONGEST_TITLE = 200
LONGEST_DESCRIPTION = 4_000
LONGEST_TAG = 40
MOST_TAGS = 20

_NAME = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{LONGEST_NAME - 1}}}")
_NOT_IN_TAGS = re.compile(r"[\s,\"\\]")
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


def checked_description(text: str) -> str:
    """`text` without the space around it, if it is at most 4,000 characters. Raises FieldInvalid."""
    kept = text.replace("\r\n", "\n").strip()
    if len(kept) > LONGEST_DESCRIPTION or not all(part.isprintable() for part in re.split(r"[\n\t]", kept)):
        raise FieldInvalid(field="description", problem=f"≤ {LONGEST_DESCRIPTION}")
    return kept


def checked_tags(tags: Iterable[str]) -> list[str]:
    """The tags in lower case, each once, in the order of their letters. Raises FieldInvalid.

    At most 20, each one word of any script, at most 40 characters long: commas and spaces stand between tags.
    """
    found = sorted({written for tag in tags if (written := unicodedata.normalize("NFC", tag.strip().lower()))})
    if len(found) > MOST_TAGS:
        raise FieldInvalid(field="tags", problem=f"≤ {MOST_TAGS}")
    for tag in found:
        if len(tag) > LONGEST_TAG or not tag.isprintable() or _NOT_IN_TAGS.search(tag):
            raise FieldInvalid(field="tags", problem=tag[: LONGEST_TAG + 1])
    return found
