"""Methods of one's own: from a template, an upload or another version, through the dry run, to everybody's list."""

from __future__ import annotations

from pathlib import PurePosixPath
from zipfile import BadZipFile, ZipFile

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from werkzeug.datastructures import FileStorage

from control_plane.domain import method_files, options
from control_plane.domain.errors import (
    FieldInvalid,
    MethodArchiveUnreadable,
    MethodFileRefused,
    MethodTooLarge,
    NotFound,
)
from control_plane.services import authoring, dry_runs
from control_plane.services.access import projects
from control_plane.services.methods import DRAFT, list_methods
from control_plane.store.methods import MethodVersionRecord
from web import fleet_snippets
from web.access import current_project, requires, the_actor, the_control_plane
from web.pages import methods
from web.paging import whole_number
from web.refusals import shown_again
from web.security import takes_upload

blueprint = Blueprint("own_methods", __name__, url_prefix="/methods")
TEMPLATES = ("custom01", "custom02")
OPTIONS = 4  # rows of the form
_LANGUAGES = ("en", "de", "zh")
_NEW = "train.py"


@blueprint.get("/-/new")
@requires("method.write")
def new() -> ResponseReturnValue:
    """Two ways to begin: a copy of a template or of another method, or an upload."""
    found = list_methods(the_actor(), the_control_plane())
    order = sorted(found, key=lambda one: (one.name not in TEMPLATES, one.name))
    sources = [(str(one.id), one.name) for one in order]
    asked = request.args.get("from", "")
    chosen = next((key for key, name in sources if name == asked), sources[0][0] if sources else "")
    return render_template(
        "methods/new.html", sources=sources, chosen=chosen, options=OPTIONS, types=options.TYPES,
        most=method_files.MOST_FILES, largest=method_files.LARGEST, snippet=fleet_snippets.new_method(),
    )  # fmt: skip


@blueprint.post("/-/new")
@requires("method.write")
@shown_again("copy", new, "name", "type", "pasted")
def copy() -> ResponseReturnValue:
    """The draft of a method that begins as another one, with names, words and options of its own."""
    sent = request.form
    words = {key: text for key in ("display", "description") if (text := sent.get(key, "").strip())}
    given = {key: dict.fromkeys(_LANGUAGES, text) for key, text in words.items()}
    added = options.as_toml(_options()) + options.pasted(sent.get("pasted", ""))
    made = authoring.copy(
        the_actor(),
        the_control_plane(),
        whole_number(sent.get("source", "")),
        sent.get("name", "").strip(),
        sent.get("type", "").strip()[:60],
        given,
        added + options.GROUP if added else "",
    )
    return _to_draft(made)


@blueprint.post("/-/upload")
@requires("method.write")
@shown_again("upload", new)
def upload() -> ResponseReturnValue:
    """A ZIP archive of a folder, or a folder's files as the browser sends them."""
    sent = [one for one in request.files.getlist("files") if one.filename]
    archive = request.files.get("archive")
    if archive is not None and archive.filename:
        try:
            with ZipFile(archive.stream) as opened:
                files = method_files.unpacked(opened)
        except (BadZipFile, NotImplementedError, OSError, ValueError) as problem:
            raise MethodArchiveUnreadable from problem
    elif sent:
        files = _taken(sent)
    else:
        raise FieldInvalid(field="archive", problem="–")
    made, reused = authoring.add(the_actor(), the_control_plane(), files)
    if reused:
        flash(gettext("The very same files were there already as version %(number)s.", number=made.number))
    return _to_draft(made)


takes_upload(upload)


@blueprint.get("/<name>/edit")
@requires("method.write")
def edit(name: str) -> ResponseReturnValue:
    """One file of a version in the editor; saving makes a draft."""
    cp, record = the_control_plane(), _version(name)
    files = authoring.own_files(record)
    path = request.args.get("file", _NEW if _NEW in files else next(iter(files)))
    text = _text(authoring.content(cp, files[path])) if path in files else ""
    here = current_project(projects.list_projects(the_actor(), cp))
    return render_template(
        "methods/edit.html", record=record, files=files, path=path, text=text,
        line=whole_number(request.args.get("line", "")),
        snippet=fleet_snippets.upload_method(record.name, here.name if here else "default")
    )  # fmt: skip


@blueprint.post("/<name>/edit")
@requires("method.write")
@shown_again("edit", edit, "content")
def save(name: str) -> ResponseReturnValue:
    """Save the file, or take it away; either gives another version, a draft."""
    record = _version(name)
    path = request.form.get("path", "").strip()
    is_removed = request.form.get("what") == "remove"
    content = request.form.get("content", "").replace("\r\n", "\n").encode()
    if not path:
        raise MethodFileRefused(path="")
    made, reused = authoring.edit(the_actor(), the_control_plane(), record.id, {path: None if is_removed else content})
    if reused:
        flash(gettext("Nothing has changed: these files are version %(number)s.", number=made.number))
    else:
        flash(gettext("Saved as version %(number)s, a draft.", number=made.number))
    shown = None if is_removed else path
    return redirect(url_for("own_methods.edit", name=made.name, version=made.number, file=shown))


@blueprint.post("/<name>/run")
@requires("method.write")
@shown_again("run", methods.show)
def run(name: str) -> ResponseReturnValue:
    """A dry run on the chosen machine; its job's page says how it goes."""
    record, project = _version(name), request.form.get("project", "")
    job = dry_runs.start(the_actor(), the_control_plane(), project, record.id, request.form.get("machine", ""))
    return redirect(url_for("jobs.show", project=project, job_id=job.id))


@blueprint.post("/<name>/publish")
@requires("method.publish")
@shown_again("publish", methods.show)
def publish(name: str) -> ResponseReturnValue:
    """New jobs take this version from now on."""
    found = authoring.publish(the_actor(), the_control_plane(), _version(name).id)
    flash(gettext("Version %(number)s is what new jobs take from now on.", number=found.number))
    return redirect(url_for("methods.show", name=name))


@blueprint.post("/<name>/delete")
@requires("method.write")
@shown_again("delete", methods.show)
def delete(name: str) -> ResponseReturnValue:
    """Offered no longer, or, of a draft, thrown away; the page has the way back."""
    found = authoring.delete(the_actor(), the_control_plane(), _version(name).id)
    flash(gettext("Deleted. What used it keeps working, and it can be restored here."))
    return redirect(url_for("methods.show", name=name, version=found.number))


@blueprint.post("/<name>/restore")
@requires("method.write")
@shown_again("restore", methods.show)
def restore(name: str) -> ResponseReturnValue:
    """Undo a deletion."""
    found = authoring.restore(the_actor(), the_control_plane(), _version(name).id)
    flash(gettext("Restored."))
    return redirect(url_for("methods.show", name=name, version=found.number))


def _version(name: str) -> MethodVersionRecord:
    """The version whose number is asked for; else the newest draft, else the current one."""
    found = authoring.versions(the_actor(), the_control_plane(), name)
    number = whole_number(request.values.get("version", ""))
    if number:
        chosen = next((one for one in found if one.number == number), None)
        if chosen is None:
            raise NotFound
        return chosen
    return next((one for one in found if one.state == DRAFT), None) or next((o for o in found if o.current), found[0])


def _to_draft(made: MethodVersionRecord) -> ResponseReturnValue:
    return redirect(url_for("own_methods.edit", name=made.name, version=made.number))


def _options() -> list[dict[str, str]]:
    keys = ("name", "type", "default", "minimum", "maximum", "title")
    return [{key: request.form.get(f"option-{key}-{row}", "") for key in keys} for row in range(OPTIONS)]


def _taken(sent: list[FileStorage]) -> dict[str, bytes]:
    """The files of a folder; those that no method has are not read, and no more than a method may have is kept."""
    found: dict[str, bytes] = {}
    room = method_files.LARGEST
    for one in sent:
        path = _below(str(one.filename))
        if not method_files.is_cache(PurePosixPath(path).parts):
            found[path] = one.stream.read(room + 1)
            room -= len(found[path])
        if room < 0:
            raise MethodTooLarge(limit=method_files.LARGEST)
    return found


def _below(path: str) -> str:
    """A path below the folder that the browser sends it with."""
    return path.partition("/")[2] or path


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise NotFound from problem
