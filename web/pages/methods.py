"""Which methods are offered: what each reads, lets one choose and makes, its versions, and who used it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _

from control_plane.domain.errors import NotFound
from control_plane.domain.manifest import Manifest
from control_plane.services import authoring, dry_runs, method_differences, methods
from control_plane.services.access import projects
from control_plane.services.authoring import Listed
from control_plane.services.fleet import machines
from control_plane.services.methods import DELETED, DRAFT
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.projects import ProjectRecord
from web import fleet_snippets, forms, job_form, markdown
from web.access import current_project, requires, the_actor, the_control_plane
from web.formatting import decimal_sign
from web.languages import locale
from web.pages.item import Item
from web.paging import asked_number
from web.snippets import Snippet

blueprint = Blueprint("methods", __name__)
navigation = Item("admin", "methods.index", _("Methods"), "puzzle", "method.see")
_README = "README.md"


@dataclass(frozen=True)
class Row:
    """A method in the list."""

    listed: Listed
    method: Manifest

    def matches(self, text: str, source: str, state: str) -> bool:
        """Whether it has `text` in a name or its type, and this source and state where they are asked for."""
        version = self.listed.version
        shown = " ".join((version.name, self.method.display, self.method.type)).lower()
        is_source = source in ("", version.source)
        is_state = {"draft": self.listed.draft is not None, "deleted": self.listed.is_deleted}.get(state)
        return text.lower() in shown and is_source and (not self.listed.is_deleted if is_state is None else is_state)


@blueprint.get("/methods")
@requires("method.see")
def index() -> ResponseReturnValue:
    """The catalogue."""
    found = authoring.overview(the_actor(), the_control_plane())
    rows = [Row(one, methods.manifest(one.version, locale())) for one in found]
    text, source, state = (request.args.get(key, "").strip() for key in ("q", "source", "state"))
    return render_template(
        "methods/index.html",
        rows=[row for row in rows if row.matches(text, source, state)],
        is_filtered=bool(text or source or state),
        drafts=sum(1 for one in found if one.draft is not None),
        deleted=sum(1 for one in found if one.is_deleted),
    )


@blueprint.get("/methods/<name>")
@requires("method.see")
def show(name: str) -> ResponseReturnValue:
    """One method: its manifest in plain words, README, versions, and the jobs that took it."""
    actor, cp = the_actor(), the_control_plane()
    versions = authoring.versions(actor, cp, name)
    record = _chosen(versions)
    manifest = methods.manifest(record, locale())
    project = current_project(projects.list_projects(actor, cp))
    draft = next((one for one in versions if one.state == DRAFT), None)
    may_try = draft is not None and project is not None and actor.may("job.submit", project.id)
    return render_template(
        "methods/show.html",
        record=record,
        method=manifest,
        groups=forms.layout(manifest.parameters, manifest.groups, decimal=decimal_sign(locale())),
        readme=_readme(record),
        versions=versions,
        current=next((one for one in versions if one.current), None),
        draft=draft,
        may_throw_away=draft is not None and authoring.may_delete(actor, draft),
        may_restore=authoring.may_delete(actor, record),
        dry_runs=dry_runs.jobs_of(versions),
        machines=machines.list_machines(actor, cp) if may_try and actor.may("machine.see") else [],
        used=authoring.used_by(actor, cp, name),
        snippet=_snippet(record, project),
    )


@blueprint.get("/methods/<name>/difference")
@requires("method.see")
def difference(name: str) -> ResponseReturnValue:
    """What differs between two versions, by default the newest one and the one before it."""
    actor, cp = the_actor(), the_control_plane()
    versions = authoring.versions(actor, cp, name)
    new = _numbered(versions, asked_number("new", versions[0].number))
    earlier = [one.number for one in versions if one.number < new.number]
    old = _numbered(versions, asked_number("old", earlier[0] if earlier else new.number))
    return render_template(
        "methods/difference.html",
        name=name,
        versions=versions,
        old=old,
        new=new,
        files=method_differences.compare(actor, cp, old.id, new.id),
        kit_differs=method_differences.has_other_kit(old, new),
        snippet=fleet_snippets.compare_versions(name, old.number, new.number),
    )


def _chosen(versions: list[MethodVersionRecord]) -> MethodVersionRecord:
    """The version that is asked for by its number; else the current one, else the newest."""
    usual = next((one for one in versions if one.current), versions[0])
    return _numbered(versions, asked_number("version", usual.number))


def _numbered(versions: list[MethodVersionRecord], number: int) -> MethodVersionRecord:
    found = next((one for one in versions if one.number == number), None)
    if found is None:
        raise NotFound
    return found


def _readme(record: MethodVersionRecord) -> str:
    file = authoring.own_files(record).get(_README)
    if file is None:
        return ""
    data = authoring.content(the_control_plane(), file)
    return markdown.rendered(data.decode("utf-8", "replace"))


def _snippet(record: MethodVersionRecord, project: ProjectRecord | None) -> Snippet:
    """A job of the method on the newest that fits in the project; looking, where something is lacking."""
    actor, cp = the_actor(), the_control_plane()
    if record.state == DRAFT:
        return fleet_snippets.publish_method(record.name)
    if record.state == DELETED or project is None or not actor.may("job.submit", project.id):
        return fleet_snippets.show_method(record.name)
    offered = job_form.Offered(actor, cp, project.name)
    return job_form.snippet(project.name, job_form.with_newest(job_form.fresh(record), offered), cp.clock())
