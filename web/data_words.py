"""The words of the files that datasets are made of: what kind of file it is, how it was read, what became of it."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext, ngettext

from control_plane.domain.preparation import Look, Mapping, Report, Source, read
from control_plane.store.datasets import DatasetVersionRecord
from web import formatting, words
from web.languages import locale

ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16LE",
    "utf-16-be": "UTF-16BE",
    "gb18030": "GB18030",
    "windows-1252": "Windows-1252",
}


def what(look: Look | None, report: Report | None, name: str) -> str:
    """What a file is, in a sentence; its rows are known once all were read."""
    if look is None:
        return name
    code = look.source.kind
    columns = ngettext("%(num)s column", "%(num)s columns", len(look.columns))
    if report is None or code == "text":
        return str(gettext("%(kind)s with %(columns)s", kind=kind(code), columns=columns))
    rows = ngettext("%(num)s row", "%(num)s rows", report.rows)
    return str(gettext("%(kind)s with %(rows)s and %(columns)s", kind=kind(code), rows=rows, columns=columns))


def kind(code: str) -> str:
    """What a file of this kind is."""
    names: dict[str, str] = {
        "jsonl": gettext("A JSON Lines file"),
        "json": gettext("A JSON file"),
        "csv": gettext("A table of text (CSV)"),
        "parquet": gettext("A Parquet table"),
        "xlsx": gettext("An Excel sheet"),
        "text": gettext("A text file"),
    }
    return names.get(code, code)


def how(source: Source) -> list[str]:
    """How a file was read: its sheet, encoding, delimiter and packing, each in a few words."""
    found = [gettext("Sheet “%(name)s”", name=source.sheet)] if source.sheet else []
    found += [encoding(source.encoding)] if source.encoding else []
    found += [gettext("columns parted by %(sign)s", sign=delimiter(source.delimiter))] if source.delimiter else []
    found += [f".{source.packing}"] if source.packing else []
    return found


def encoding(code: str) -> str:
    """What an encoding is called."""
    return ENCODINGS.get(code, code)


def delimiter(sign: str) -> str:
    """What a delimiter is called."""
    names: dict[str, str] = {
        ",": gettext("comma"),
        ";": gettext("semicolon"),
        "\t": gettext("tab"),
        "|": gettext("vertical bar"),
    }
    return names.get(sign, sign)


def unit(code: str) -> str:
    """What a length is counted in."""
    return str(gettext("tokens") if code == "tokens" else gettext("characters"))


def origin(version: DatasetVersionRecord) -> list[tuple[str, object]]:
    """Where a version came from: its labelling, its file, and what the columns became."""
    source = version.source
    labelled = _labelled(source) if "labelling" in source else []
    return labelled + (origin_of_file(version) if source.get("name") else [])


def _labelled(source: dict[str, Any]) -> list[tuple[str, object]]:
    """That a version came of a labelling, and who answered in it."""
    asked = [(gettext("Asked"), source["asked"])] if source.get("asked") else []
    name = f"{source['labelling_name']} #{source['labelling']}"
    return [(gettext("Labelling"), name), *asked]


def origin_of_file(version: DatasetVersionRecord) -> list[tuple[str, object]]:
    """The file that a version, or the one before it, was made from, and what the columns became."""
    source = version.source
    mapping = read(Mapping, version.mapping) if version.mapping else Mapping()
    became = [(words.field(name), ", ".join(columns)) for name, columns in mapping.parts.items()]
    return [
        (gettext("File"), source.get("name", "")),
        (gettext("Kind"), kind(source.get("kind", ""))),
        (gettext("Size"), formatting.filesize(source.get("size"), locale())),
        *became,
    ]
