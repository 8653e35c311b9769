"""How listeners are told: the ways there are, and when a delivery that failed is tried again."""

from __future__ import annotations

import re

from control_plane.domain.errors import FieldInvalid

WEBHOOK, SLACK, TEAMS, MAIL, PYTHON = WAYS = ("webhook", "slack", "teams", "mail", "python")
BY_ADDRESS = (WEBHOOK, SLACK, TEAMS)

DELIVERED, GIVEN_UP = "delivered", "given_up"  # outcomes; empty while it waits

# seconds from a failure to the next attempt: after the last of them a delivery is given up, about a day later
RETRY_AFTER = (10.0, 60.0, 300.0, 1_800.0, 7_200.0, 21_600.0, 43_200.0)

MOST = 20  # listeners of a project
MOST_WAITING = 10_000  # deliveries of a listener; beyond them the oldest are given up
_LONGEST_ADDRESS = 254  # characters of a mail address
_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")


def next_try(attempts: int, now: float) -> float:
    """When it is tried again after so many attempts; 0 where it is given up."""
    return now + RETRY_AFTER[attempts - 1] if attempts <= len(RETRY_AFTER) else 0.0


def checked_mail(address: str) -> str:
    """The address itself, if mail can be sent to it. Raises FieldInvalid."""
    plain = address.strip()
    if len(plain) > _LONGEST_ADDRESS or not _MAIL.fullmatch(plain):
        raise FieldInvalid(field="address", problem="name@example.org")
    return plain
