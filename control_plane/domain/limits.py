"""How often something may be done: every rate limit of the control plane, in one table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """At most `count` times in `seconds`, for each of those whom it is counted by."""

    name: str
    count: int
    seconds: int

    @property
    def text(self) -> str:
        """As Flask-Limiter takes it."""
        return f"{self.count} per {self.seconds} second"


# by address: wrong passwords and those being checked; a right one is given back, so an office may share an address
SIGN_IN_ADDRESS = Limit("sign-in-address", 10, 300)
SIGN_IN_NAME = Limit("sign-in-name", 10, 60)  # by address and name: each try
PASSWORD_LINK = Limit("password-link", 10, 60)  # by address: one-time links that did not set a password
ENROLLMENT = Limit("enrollment", 20, 60)  # by address: refused join tokens and certificates
POLICY_REPORTS = Limit("policy-reports", 60, 60)  # by address: what a browser says the content policy refused
