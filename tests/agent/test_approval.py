"""An owner's list of approved versions: it is held against the files, never against what is said of them."""

import hashlib
import json

import pytest

from agent.approval import is_approved
from tunesmith.v1 import fleet_pb2 as pb

REQUIREMENTS = "torch\n"


def offer(**changes: object) -> pb.Offer:
    digest = hashlib.sha256(REQUIREMENTS.encode()).hexdigest()
    code = [
        pb.FileRef(path="mine/requirements.txt", sha256=digest),
        pb.FileRef(path="mine/train.py", sha256="a" * 64),
        pb.FileRef(path="kit/entry.py", sha256="b" * 64),
    ]
    values = {"method": "mine", "entry": "train.py", "requirements": REQUIREMENTS, "code": code, **changes}
    return pb.Offer(method_hash="of no meaning", **values)


HASH = hashlib.sha256(json.dumps([(one.path, one.sha256) for one in offer().code]).encode()).hexdigest()


@pytest.mark.parametrize("approved", ["", "  ", HASH, HASH[:12], f"{'0' * 64}, {HASH.upper()}"])
def test_what_is_listed_or_not_restricted_runs(approved: str) -> None:
    assert is_approved(offer(), approved)


@pytest.mark.parametrize("approved", ["0" * 64, HASH[:11], ",", "of no meaning"])
def test_what_is_not_listed_does_not(approved: str) -> None:
    assert not is_approved(offer(), approved)


def test_neither_other_code_nor_other_requirements_pass_under_an_approved_hash() -> None:
    other = [*offer().code[:1], pb.FileRef(path="mine/train.py", sha256="c" * 64), *offer().code[2:]]
    assert not is_approved(offer(code=other), HASH)
    assert not is_approved(offer(requirements="evil\n"), HASH)
    assert not is_approved(offer(entry="other.py"), HASH)
