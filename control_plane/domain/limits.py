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


@dataclass(frozen=True)
class Brake:
    """From the `free`th failure in a row on, each makes the next wait, twice as long each time. A success ends it."""

    name: str
    free: int
    first_seconds: float
    longest_seconds: float

    def wait(self, failures: int) -> float:
        """Seconds to wait after so many failures."""
        beyond = failures - self.free
        return 0.0 if beyond < 0 else min(self.first_seconds * 2.0 ** min(beyond, 30), self.longest_seconds)


# by address: wrong passwords and those being checked; a right one is given back, so an office may share an address
SIGN_IN_ADDRESS = Limit("sign-in-address", 10, 300)
SIGN_IN_NAME = Limit("sign-in-name", 10, 60)  # by address and name: each try
# by address and account, in place of the two around it, where the account was signed in from that address before: what
# strangers do elsewhere, or others behind the same address, locks nobody out
SIGN_IN_KNOWN = Limit("sign-in-known", 10, 300)
SIGN_IN_ACCOUNT = Brake("sign-in-account", 5, 2.0, 900.0)  # by name, from wherever: wrong passwords in a row
PASSWORD_LINK = Limit("password-link", 10, 60)  # by address: one-time links that did not set a password
ENROLLMENT = Limit("enrollment", 20, 60)  # by address: refused join tokens and certificates
POLICY_REPORTS = Limit("policy-reports", 60, 60)  # by address: what a browser says the content policy refused
