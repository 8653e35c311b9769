"""Signing in, accounts and links."""

from __future__ import annotations

from control_plane.domain.errors.family import Conflict, Denied, Invalid, NotSignedIn


class WrongPassword(NotSignedIn):
    """The name or the password is wrong."""


class OldPasswordWrong(Invalid):
    """The current password is not right."""


class LinkExpired(NotSignedIn):
    """This one-time link was used or has expired."""


class PasswordTooShort(Invalid):
    """The password must have at least {minimum} characters."""


class LastAdministrator(Conflict):
    """“{name}” is the last administrator who can sign in. Make somebody else an administrator first."""


class UserInactive(Conflict):
    """“{name}” is switched off. Switch the account on first."""


class AccountIsLocal(Conflict):
    """“{name}” is the account of the data folder: it can be switched off and on, and nothing else."""


class TokenRefused(NotSignedIn):
    """The API token is unknown, expired or revoked."""


class RequestForged(Denied):
    """The form has expired; please load the page again and repeat the step."""

    status = "invalid"
