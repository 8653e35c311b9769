"""A file of a dataset on the Hugging Face Hub, or on a mirror that an administrator names (TUNESMITH_HUB).

The two addresses that it takes are asked with our own client, which holds to the addresses that may be asked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, urlsplit

from control_plane.connectors.folder import MOST_LISTED
from control_plane.connectors.http_client import asked
from control_plane.domain.connectors import Described, Fetched, Item, Manifest, Sink, Wanted
from control_plane.domain.errors import (
    SourceFilesSeveral,
    SourceFormatUnfit,
    SourceGone,
    SourceOffline,
    SourceRefused,
    SourceSilent,
    SourceUnreachable,
)

_MANIFEST = Manifest(
    display={"en": "Hugging Face dataset", "de": "Hugging-Face-Datensatz", "zh": "Hugging Face 数据集"},
    description={
        "en": "A file of a dataset on the Hugging Face Hub. The server needs a connection to the internet.",
        "de": "Eine Datei eines Datensatzes auf dem Hugging Face Hub. Der Server braucht dafür das Internet.",
        "zh": "Hugging Face Hub 上数据集中的文件。服务器需要能访问互联网。",
    },
    parameters={
        "type": "object",
        "properties": {
            "dataset": {
                "type": "string",
                "title": {"en": "Dataset", "de": "Datensatz", "zh": "数据集"},
                "description": {
                    "en": "As its page is called, for example: openai/gsm8k",
                    "de": "So, wie seine Seite heißt, zum Beispiel: openai/gsm8k",
                    "zh": "与其页面名称一致，例如：openai/gsm8k",
                },
                "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?$",
                "maxLength": 200,
            },
            "file": {
                "type": "string",
                "title": {"en": "File", "de": "Datei", "zh": "文件"},
                "description": {
                    "en": "Empty: the one file that holds the rows to learn from, where there is one.",
                    "de": "Leer: die eine Datei mit den Zeilen zum Lernen, wenn es genau eine gibt.",
                    "zh": "留空：如果只有一个训练数据文件，就使用它。",
                },
                "maxLength": 1000,
                "default": "",
            },
            "revision": {
                "type": "string",
                "title": {"en": "Revision", "de": "Revision", "zh": "修订版本"},
                "description": {
                    "en": "A branch, a tag or the hash of a commit.",
                    "de": "Ein Zweig, ein Tag oder der Hash eines Commits.",
                    "zh": "分支、标签或提交哈希。",
                },
                "minLength": 1,
                "maxLength": 200,
                "default": "main",
                "x-level": "standard",
            },
        },
        "required": ["dataset"],
        "additionalProperties": False,
    },
    label="dataset",
    secrets={
        "token": {
            "title": {"en": "Token", "de": "Token", "zh": "令牌"},
            "description": {
                "en": "Only for datasets that are not open to everybody.",
                "de": "Nur für Datensätze, die nicht allen offenstehen.",
                "zh": "仅用于未公开的数据集。",
            },
        }
    },
    secrets_for=("dataset",),
)
_KINDS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".xlsx", ".txt")
_PACKINGS = (".gz", ".zip")
_NO_DATA = ("dataset_infos.json", "dataset_dict.json", "dataset_info.json", "state.json")


@dataclass(frozen=True)
class _File:
    name: str
    size: int  # bytes; -1: not known
    mark: str  # the hash by which the Hub keeps it


class Hub:
    """The connector."""

    manifest = _MANIFEST

    def describe(self, wanted: Wanted) -> Described:
        """The files of the dataset that can be read as data."""
        files = [one for one in _files(wanted) if _is_data(one.name)]
        items = [Item(one.name, {"file": one.name}, one.size) for one in files[:MOST_LISTED]]
        return Described(items, len(files) > MOST_LISTED)

    def fetch(self, wanted: Wanted, into: Sink) -> Fetched:
        """The file; the hash that the Hub knows it by is its mark."""
        given = wanted.parameters
        found = _chosen(given, _files(wanted))
        if found.mark and found.mark == wanted.mark:
            return Fetched(mark=found.mark, unchanged=True)
        way = (quote(given["dataset"], safe="/"), "resolve", quote(given["revision"], safe=""), quote(found.name))
        with asked(wanted, "/".join((_hub(wanted), "datasets", *way)), private=_credentials(wanted)) as answer:
            answer.save(into)
        return Fetched(PurePosixPath(found.name).name, found.mark)


def _hub(wanted: Wanted) -> str:
    return wanted.opened.hub.rstrip("/")


def _files(wanted: Wanted) -> list[_File]:
    """The files of the dataset. Raises SourceOffline, SourceGone, SourceAccessDenied, SourceRefused."""
    given = wanted.parameters
    way = f"{quote(given['dataset'], safe='/')}/revision/{quote(given['revision'], safe='')}?blobs=true"
    try:
        with asked(wanted, f"{_hub(wanted)}/api/datasets/{way}", private=_credentials(wanted)) as answer:
            return [_file(one) for one in json.loads(answer.text())["siblings"]]
    except (SourceUnreachable, SourceSilent) as problem:
        raise SourceOffline(place=urlsplit(_hub(wanted)).netloc) from problem
    except SourceGone as problem:  # the Hub says so of one that is private, too
        raise SourceGone(place=given["dataset"]) from problem
    except (ValueError, KeyError, TypeError) as problem:
        raise SourceRefused(place=urlsplit(_hub(wanted)).netloc, problem="no list of a dataset") from problem


def _file(told: dict[str, Any]) -> _File:
    stored = told.get("lfs") or {}
    size = stored.get("size", told.get("size"))
    mark = str(stored.get("sha256") or stored.get("oid") or told.get("blobId") or "")
    return _File(str(told["rfilename"]), size if isinstance(size, int) else -1, mark)


def _credentials(wanted: Wanted) -> dict[str, str]:
    token = wanted.secrets.get("token", "")
    return {"Authorization": f"Bearer {token}"} if token else {}


def _chosen(given: Mapping[str, Any], files: Sequence[_File]) -> _File:
    """The file that is named, else the one that there is to learn from."""
    if given["file"]:
        named = next((one for one in files if one.name == given["file"]), None)
        if named is None:
            raise SourceGone(place=f"{given['dataset']}/{given['file']}")
        return named
    data = [one for one in files if _is_data(one.name)]
    training = [one for one in data if "train" in PurePosixPath(one.name).name.lower()] or data
    if not training:
        raise SourceFormatUnfit(place=given["dataset"])
    if len(training) > 1:
        raise SourceFilesSeveral(files=[one.name for one in training[:10]])
    return training[0]


def _is_data(name: str) -> bool:
    path = PurePosixPath(name.lower())
    suffixes = [one for one in path.suffixes[-2:] if one not in _PACKINGS]
    return path.name not in _NO_DATA and bool(suffixes) and suffixes[-1] in _KINDS and not path.name.startswith(".")


CONNECTOR = Hub()
