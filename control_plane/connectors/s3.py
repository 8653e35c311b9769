"""An object in a bucket, of Amazon S3 or of any server that speaks its language.

Requests are signed by botocore and sent by our own client, which holds to the addresses that may be asked: a client
that resolves names by itself would go around that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, urlencode

from control_plane.connectors.folder import MOST_LISTED
from control_plane.connectors.http_client import UNCHANGED, Answer, asked, split
from control_plane.domain.connectors import Described, Fetched, Item, Manifest, Sink, Wanted
from control_plane.domain.errors import SourceRefused

_MANIFEST = Manifest(
    display={"en": "S3 bucket", "de": "S3-Bucket", "zh": "S3 存储桶"},
    description={
        "en": "A file in a bucket of Amazon S3, MinIO, Ceph or another server that speaks S3.",
        "de": "Eine Datei in einem Bucket von Amazon S3, MinIO, Ceph oder einem anderen Server, der S3 spricht.",
        "zh": "Amazon S3、MinIO、Ceph 或其他兼容 S3 的服务器中的文件。",
    },
    parameters={
        "type": "object",
        "properties": {
            "bucket": {
                "type": "string",
                "title": {"en": "Bucket", "de": "Bucket", "zh": "存储桶"},
                "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$",
                "maxLength": 255,
            },
            "key": {
                "type": "string",
                "title": {"en": "Key of the file", "de": "Schlüssel der Datei", "zh": "文件的键"},
                "description": {
                    "en": "For example: notes/2026/june.csv",
                    "de": "Zum Beispiel: notizen/2026/juni.csv",
                    "zh": "例如：notes/2026/june.csv",
                },
                "minLength": 1,
                "maxLength": 1024,
            },
            "endpoint": {
                "type": "string",
                "title": {"en": "Address of the server", "de": "Adresse des Servers", "zh": "服务器地址"},
                "description": {
                    "en": "Empty: Amazon S3.",
                    "de": "Leer: Amazon S3.",
                    "zh": "留空：Amazon S3。",
                },
                "maxLength": 500,
                "default": "",
            },
            "region": {
                "type": "string",
                "title": {"en": "Region", "de": "Region", "zh": "区域"},
                "pattern": "^[a-z0-9-]{1,60}$",
                "default": "us-east-1",
            },
            "access_key": {
                "type": "string",
                "title": {"en": "Access key", "de": "Zugangsschlüssel (Access Key)", "zh": "访问密钥（Access Key）"},
                "description": {
                    "en": "Empty where anybody may read the bucket.",
                    "de": "Leer, wenn jeder den Bucket lesen darf.",
                    "zh": "存储桶公开可读时留空。",
                },
                "maxLength": 200,
                "default": "",
            },
        },
        "required": ["bucket", "key"],
        "additionalProperties": False,
    },
    label="key",
    secrets={
        "secret_key": {
            "title": {"en": "Secret key", "de": "Geheimer Schlüssel (Secret Key)", "zh": "私有密钥（Secret Key）"},
            "description": {
                "en": "Of the access key.",
                "de": "Er gehört zum Zugangsschlüssel.",
                "zh": "与访问密钥配套。",
            },
        }
    },
    secrets_for=("endpoint", "region", "access_key", "bucket"),
)
_EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # sha256 of a request's body, of no bytes


class S3:
    """The connector."""

    manifest = _MANIFEST

    def describe(self, wanted: Wanted) -> Described:
        """The objects of the bucket, those below the folder of the key first where one is named."""
        prefix = str(wanted.parameters.get("key", "")).rpartition("/")[0]
        query = {"list-type": "2", "max-keys": str(MOST_LISTED)} | ({"prefix": f"{prefix}/"} if prefix else {})
        with _asked(wanted, "", query) as answer:
            return _listed(answer)

    def fetch(self, wanted: Wanted, into: Sink) -> Fetched:
        """The object; its ETag is its mark."""
        key = str(wanted.parameters["key"])
        conditions = {"If-None-Match": wanted.mark} if wanted.mark else {}
        with _asked(wanted, key, {}, conditions) as answer:
            if answer.status == UNCHANGED:
                return Fetched(mark=wanted.mark, unchanged=True)
            answer.save(into)
            return Fetched(PurePosixPath(key).name or "data", answer.headers.get("etag", ""))


@contextmanager
def _asked(
    wanted: Wanted, key: str, query: Mapping[str, str], headers: Mapping[str, str] | None = None
) -> Iterator[Answer]:
    given = wanted.parameters
    region = given.get("region", "us-east-1")
    server = str(given.get("endpoint") or f"https://s3.{region}.amazonaws.com").rstrip("/")
    split(server)
    address = f"{server}/{given['bucket']}" + (f"/{quote(key, safe='/~')}" if key else "")
    address += f"?{urlencode(sorted(query.items()), quote_via=quote)}" if query else ""
    private = _signature(wanted, address, region)
    with asked(wanted, address, headers, private) as answer:
        yield answer


def _signature(wanted: Wanted, address: str, region: str) -> dict[str, str]:
    """The headers that prove who asks; none where nobody is named."""
    if not wanted.parameters.get("access_key"):
        return {}
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    credentials = Credentials(wanted.parameters["access_key"], wanted.secrets.get("secret_key", ""))
    request = AWSRequest(method="GET", url=address, headers={"X-Amz-Content-SHA256": _EMPTY})
    S3SigV4Auth(credentials, "s3", region).add_auth(request)
    return dict(request.headers.items())


def _listed(answer: Answer) -> Described:
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        root: Any = fromstring(answer.text())
    except (ParseError, DefusedXmlException, ValueError) as problem:
        raise SourceRefused(place=answer.place, problem="no list of a bucket") from problem
    space = root.tag.rpartition("}")[0] + "}" if root.tag.startswith("{") else ""
    items = []
    for one in root.iter(f"{space}Contents"):
        key, size = one.findtext(f"{space}Key", ""), one.findtext(f"{space}Size", "")
        if key and not key.endswith("/"):
            items.append(Item(key, {"key": key}, int(size) if size.isdecimal() else -1))
    return Described(items, root.findtext(f"{space}IsTruncated") == "true")


CONNECTOR = S3()
