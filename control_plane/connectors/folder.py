"""A file in a folder of the server that an administrator opened."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import PurePosixPath

from control_plane.connectors.opened import files_below, folder_of, opened_file
from control_plane.domain.connectors import Described, Fetched, Item, Manifest, Sink, Wanted

MOST_LISTED = 200
_PIECE = 1 << 20  # bytes

# which folders there are is the administrator's word: the control plane makes a list of them (`x-choices`)
FOLDER = {
    "type": "string",
    "title": {"en": "Folder", "de": "Ordner", "zh": "文件夹"},
    "description": {
        "en": "An administrator opens folders of the server.",
        "de": "Ordner des Servers öffnet eine Administratorin oder ein Administrator.",
        "zh": "服务器上的文件夹由管理员开放。",
    },
    "x-choices": "folders",
}
FILE = {
    "type": "string",
    "title": {"en": "File", "de": "Datei", "zh": "文件"},
    "description": {
        "en": "Its name, with the folders on the way to it.",
        "de": "Ihr Name, mit den Ordnern auf dem Weg zu ihr.",
        "zh": "文件名，包括途经的文件夹。",
    },
    "minLength": 1,
    "maxLength": 1000,
}
_MANIFEST = Manifest(
    display={"en": "Folder on the server", "de": "Ordner auf dem Server", "zh": "服务器上的文件夹"},
    description={
        "en": "A file that lies on the server, or on a network drive that it has.",
        "de": "Eine Datei, die auf dem Server liegt oder auf einem Netzlaufwerk, das er hat.",
        "zh": "服务器上或其网络驱动器上的文件。",
    },
    parameters={
        "type": "object",
        "properties": {
            "folder": FOLDER,
            "file": FILE,
        },
        "required": ["folder", "file"],
        "additionalProperties": False,
    },
    label="file",
)


class Folder:
    """The connector."""

    manifest = _MANIFEST

    def describe(self, wanted: Wanted) -> Described:
        """The files below the folder."""
        found = list(islice(files_below(folder_of(wanted)), MOST_LISTED + 1))
        items = [Item(name, {"file": name}, about.st_size) for name, about in found[:MOST_LISTED]]
        return Described(items, len(found) > MOST_LISTED)

    def fetch(self, wanted: Wanted, into: Sink) -> Fetched:
        """The file, unless it is the same that it was by its times, size and number."""
        file = str(wanted.parameters["file"])
        with os.fdopen(opened_file(folder_of(wanted), file), "rb") as source:
            about = os.fstat(source.fileno())
            mark = f"{about.st_dev}:{about.st_ino}:{about.st_size}:{about.st_mtime_ns}:{about.st_ctime_ns}"
            if mark == wanted.mark:
                return Fetched(mark=mark, unchanged=True)
            into.expect(about.st_size)
            while piece := source.read(_PIECE):
                into.write(piece)
        return Fetched(PurePosixPath(file).name, mark)


CONNECTOR = Folder()
