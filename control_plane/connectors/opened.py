"""Files below the folders that an administrator opened: no link is followed, and no step upwards is taken."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import PurePosixPath

from control_plane.domain.connectors import Wanted
from control_plane.domain.errors import SourceFolderClosed, SourceFoldersNone, SourceGone, SourcePathRefused

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe would have one wait for its writer
_NO_WAY = (errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENXIO)
_DEEPEST = 8


def folder_of(wanted: Wanted) -> str:
    """The folder that is asked for. Raises SourceFoldersNone, SourceFolderClosed."""
    if not wanted.opened.folders:
        raise SourceFoldersNone
    folder = str(wanted.parameters.get("folder") or wanted.opened.folders[0])
    if folder not in wanted.opened.folders:
        raise SourceFolderClosed(folder=folder)
    return folder


def opened_file(folder: str, file: str) -> int:
    """A descriptor of a plain file below an opened folder, each step of the way on the one before it.

    Raises SourcePathRefused for a link, a step upwards or what is no plain file; SourceGone.
    """
    *way, name = _steps(file)
    at = None
    try:
        at = os.open(folder, _FOLDER & ~os.O_NOFOLLOW)  # the folder itself is the administrator's word
        for step in way:
            deeper = os.open(step, _FOLDER, dir_fd=at)
            os.close(at)
            at = deeper
        found = os.open(name, _FILE, dir_fd=at)
    except OSError as problem:
        if problem.errno in _NO_WAY:
            raise SourcePathRefused(file=file) from problem
        if problem.errno in (errno.ENOENT, errno.ENAMETOOLONG, errno.EACCES, errno.EPERM):
            raise SourceGone(place=file) from problem
        raise
    finally:
        if at is not None:
            os.close(at)
    if not stat.S_ISREG(os.fstat(found).st_mode):
        os.close(found)
        raise SourcePathRefused(file=file)
    return found


def files_below(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    """Plain files below a folder, nearest first, by their way from it."""
    waiting = [("", folder)]
    while waiting:
        prefix, place = waiting.pop(0)
        try:
            with os.scandir(place) as entries:
                found = sorted(entries, key=lambda one: one.name)
        except OSError:  # it went meanwhile, or is closed to us: it holds nothing that could be fetched
            continue
        for entry in found:
            if entry.is_symlink() or entry.name.startswith(".") or not entry.name.isprintable():
                continue
            try:
                is_folder, is_file = entry.is_dir(follow_symlinks=False), entry.is_file(follow_symlinks=False)
                about = entry.stat(follow_symlinks=False)
            except OSError:  # likewise
                continue
            if is_folder and prefix.count("/") < _DEEPEST:
                waiting.append((f"{prefix}{entry.name}/", entry.path))
            elif is_file:
                yield prefix + entry.name, about


def _steps(file: str) -> tuple[str, ...]:
    steps = PurePosixPath(file).parts
    if not steps or file.startswith("/") or ".." in steps or "\0" in file:
        raise SourcePathRefused(file=file)
    return steps
