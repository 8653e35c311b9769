"""The words of what the checks of a dataset find: names, why it matters, what can be done, what is said of a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from babel import Locale
from flask_babel import gettext, ngettext

from control_plane.domain.preparation import Choice, Finding, Place
from control_plane.wording import say
from web import formatting
from web.languages import locale


def check(code: str) -> str:
    """What a check looks for."""
    names: dict[str, str] = {
        "unreadable": gettext("Rows that cannot be used"),
        "hidden_characters": gettext("Hidden characters"),
        "secrets": gettext("Secrets"),
        "personal_data": gettext("Personal data"),
        "empty_answer": gettext("Answers that say nothing"),
        "too_long": gettext("Too long"),
        "answer_schema": gettext("Answers unlike the others"),
        "language_mix": gettext("Other languages"),
        "duplicates": gettext("Duplicates"),
        "near_duplicates": gettext("Near duplicates"),
        "leakage": gettext("Training rows that are also held out"),
        "imbalance": gettext("Rare answers"),
    }
    return names.get(code, code)


def about(code: str) -> str:
    """Why a check matters."""
    texts: dict[str, str] = {
        "unreadable": gettext("A value is missing, empty or of another kind than the format needs."),
        "hidden_characters": gettext(
            "Zero-width characters, changes of direction and control characters: nobody sees them, the model does."
        ),
        "secrets": gettext("Keys and tokens that open something. A model that learns them can say them to anybody."),
        "personal_data": gettext(
            "Mail addresses, phone numbers, IBANs and card numbers. Names and postal addresses are not looked for."
        ),
        "empty_answer": gettext("Where the answer is “-” or “n/a”, the model learns to give no answer."),
        "too_long": gettext("Training cuts such rows off or refuses them."),
        "answer_schema": gettext("Nearly all answers are JSON with the same fields; these differ."),
        "language_mix": gettext("A few rows in another language can have got in by mistake."),
        "duplicates": gettext("Copies count twice in training and say nothing new."),
        "near_duplicates": gettext("Rows that differ in a word or a sign from an earlier one."),
        "leakage": gettext("A model that has learned the questions of the exam shows nothing in the exam."),
        "imbalance": gettext("An answer that is much rarer than the others is hardly learned."),
    }
    return texts.get(code, "")


def choice(code: str, chosen: Choice) -> str:
    """What is done about the rows."""
    if chosen == Choice.FIX:
        return str(gettext("Remove the characters") if code == "hidden_characters" else gettext("Mask"))
    return str(gettext("Leave out") if chosen == Choice.DROP else gettext("Keep"))


def summary(finding: Finding) -> str:
    """What is to be said of all rows together beyond their number; empty where that is all."""
    params = finding.params
    if "kinds" in params:
        return ", ".join(f"{kind(name)}: {_number(count)}" for name, count in params["kinds"].items())
    words = _SUMMARIES.get(finding.check)
    return words(params) if words and params else ""


def place(code: str, found: Place) -> str:
    """What is to be said of one row; empty where the check's name says it."""
    if code == "unreadable":
        return say(str(found.params.get("code", "")), found.params, locale())
    if "kinds" in found.params:
        return ", ".join(map(kind, found.params["kinds"]))
    words = _PLACES.get(code)
    return words(found.params) if words else ""


def kind(code: str) -> str:
    """What kind of secret or of personal data."""
    names: dict[str, str] = {
        "mail": gettext("mail address"),
        "phone": gettext("phone number"),
        "iban": "IBAN",
        "card": gettext("card number"),
        "private_key": gettext("private key"),
        "model_provider": gettext("key of a model provider"),
        "registry": gettext("token of a package registry"),
        "signed_token": gettext("signed token (JWT)"),
        "address_password": gettext("password in an address"),
    }
    return names.get(code, code.replace("_", " ").title().replace("Github", "GitHub").replace("Gitlab", "GitLab"))


def language(code: str) -> str:
    """A language, by its ISO 639-1 code, in the reader's language."""
    return str(Locale.parse(locale()).languages.get(code, code))


def _number(value: int) -> str:
    return formatting.number(value, locale())


def _languages(params: Mapping[str, Any]) -> str:
    return ", ".join(f"{language(name)}: {_number(count)}" for name, count in params["languages"].items())


def _leaked(params: Mapping[str, Any]) -> str:
    exact, near = _number(params["exact"]), _number(params["near"])
    return str(gettext("Word for word: %(exact)s, nearly: %(near)s.", exact=exact, near=near))


def _rare(params: Mapping[str, Any]) -> str:
    said = ngettext(
        "“%(least)s” is the answer of %(num)s row, “%(most)s” of %(most_rows)s.",
        "“%(least)s” is the answer of %(num)s rows, “%(most)s” of %(most_rows)s.",
        params["least_rows"],
        least=params["least"],
        most=params["most"],
        most_rows=_number(params["most_rows"]),
    )
    return str(said)


def _compared(params: Mapping[str, Any]) -> str:
    return str(gettext("Only the first %(count)s rows were compared.", count=_number(params["compared"])))


def _length(params: Mapping[str, Any]) -> str:
    said = {"length": _number(params["length"]), "limit": _number(params["limit"])}
    if params["unit"] == "tokens":
        return str(gettext("%(length)s tokens, and %(limit)s fit.", **said))
    return str(gettext("%(length)s characters, and about %(limit)s fit.", **said))


def _unlike(params: Mapping[str, Any]) -> str:
    field = params.get("field", "")
    said: dict[str, str] = {
        "no_object": gettext("It is no JSON object."),
        "missing": gettext("It lacks the field “%(field)s”.", field=field),
        "new": gettext("Only it has the field “%(field)s”.", field=field),
        "type": gettext("Its field “%(field)s” is of another type.", field=field),
    }
    return said.get(params["problem"], "")


def _first(params: Mapping[str, Any]) -> str:
    return str(gettext("Like line %(line)s.", line=_number(params["first"])))


_SUMMARIES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "language_mix": _languages,
    "leakage": _leaked,
    "imbalance": _rare,
    "near_duplicates": _compared,
}
_PLACES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "hidden_characters": lambda params: str(params["characters"]),
    "empty_answer": lambda params: f"“{params['answer']}”",
    "too_long": _length,
    "answer_schema": _unlike,
    "language_mix": lambda params: language(str(params["language"])),
    "duplicates": _first,
    "near_duplicates": _first,
}
