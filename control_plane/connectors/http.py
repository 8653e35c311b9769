"""A file behind an HTTP or HTTPS address."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from email.message import Message
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from control_plane.connectors.http_client import UNCHANGED, Answer, asked
from control_plane.domain.connectors import Described, Fetched, Item, Manifest, Sink, Wanted

_MANIFEST = Manifest(
    display={"en": "Web address", "de": "Webadresse", "zh": "网址"},
    description={
        "en": "A file that a web server gives out.",
        "de": "Eine Datei, die ein Webserver herausgibt.",
        "zh": "由网页服务器提供的文件。",
    },
    parameters={
        "type": "object",
        "properties": {
            "address": {
                "type": "string",
                "title": {"en": "Address", "de": "Adresse", "zh": "地址"},
                "description": {
                    "en": "It begins with https:// and leads to the file itself.",
                    "de": "Sie beginnt mit https:// und führt zur Datei selbst.",
                    "zh": "以 https:// 开头，直接指向文件。",
                },
                "minLength": 1,
                "maxLength": 2000,
            },
            "user": {
                "type": "string",
                "title": {"en": "User name", "de": "Benutzername", "zh": "用户名"},
                "description": {
                    "en": "Only where the server asks for one.",
                    "de": "Nur, wenn der Server danach fragt.",
                    "zh": "仅在服务器要求时填写。",
                },
                "maxLength": 200,
                "default": "",
                "x-level": "standard",
            },
        },
        "required": ["address"],
        "additionalProperties": False,
    },
    label="address",
    secrets={
        "password": {
            "title": {"en": "Password or token", "de": "Passwort oder Token", "zh": "密码或令牌"},
            "description": {
                "en": "Without a user name it is sent as a token (Bearer). It goes to this server alone.",
                "de": "Ohne Benutzernamen wird es als Token (Bearer) gesendet. Es geht nur an diesen Server.",
                "zh": "没有用户名时作为令牌（Bearer）发送，只发给这台服务器。",
            },
        }
    },
    secrets_for=("address", "user"),
)


class Http:
    """The connector."""

    manifest = _MANIFEST

    def describe(self, wanted: Wanted) -> Described:
        """The file behind the address; the body is not read."""
        with asked(wanted, wanted.parameters["address"], private=_credentials(wanted)) as answer:
            return Described([Item(_name(answer), {}, answer.size)])

    def fetch(self, wanted: Wanted, into: Sink) -> Fetched:
        """The body of the answer. What the server marks as unchanged is not sent again."""
        conditions = {"If-None-Match": wanted.mark} if wanted.mark else {}
        with asked(wanted, wanted.parameters["address"], conditions, _credentials(wanted)) as answer:
            if answer.status == UNCHANGED:
                return Fetched(mark=wanted.mark, unchanged=True)
            answer.save(into)
            return Fetched(_name(answer), answer.headers.get("etag", ""))


def _credentials(wanted: Wanted) -> Mapping[str, str]:
    password, user = wanted.secrets.get("password", ""), wanted.parameters.get("user", "")
    if user:
        return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")}
    return {"Authorization": f"Bearer {password}"} if password else {}


def _name(answer: Answer) -> str:
    """What the server calls the file, else the end of its address."""
    head = Message()
    head["content-disposition"] = answer.headers.get("content-disposition", "attachment")
    path = PurePosixPath(unquote(urlsplit(answer.address).path))
    return head.get_filename() or path.name or "data"


CONNECTOR = Http()
