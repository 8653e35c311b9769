"""Who did what, when, from where: of a project, or of everything."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime

from flask import Blueprint, Response, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from control_plane.services import audit, audit_chain
from control_plane.store.audit import AuditRecord
from control_plane.wording import say
from web.access import requires, the_actor, the_control_plane
from web.languages import locale
from web.pages.item import Item
from web.paging import asked_number

blueprint = Blueprint("audit", __name__)
_OF_PROJECT = frozenset({"audit.of_project"})
navigation = (
    Item("admin", "audit.of_project", _("Audit"), "scroll-text", "audit.see", others=frozenset({"audit.of_all"})),
    Item("admin", "audit.of_all", _("Audit of everything"), "list-ordered", "user.see", others=_OF_PROJECT),
)
_PAGE = 100
_BATCH = 1_000
_EXPORTED = 100_000  # entries of one CSV file
_FILTERS = ("who", "action", "subject")
ACTIONS = {
    "artifact.commit": _("Files stored"),
    "audit.head": _("Head of the audit made again"),
    "audit.verify": _("Audit checked"),
    "garbage.collect": _("Leftovers removed"),
    "attempt.cancelled": _("Attempt cancelled"),
    "attempt.declined": _("Offer declined"),
    "attempt.failed": _("Attempt failed"),
    "attempt.lost": _("Attempt lost"),
    "attempt.offered": _("Job offered to a machine"),
    "attempt.preempt": _("Attempt asked to give way"),
    "attempt.preempted": _("Attempt gave way"),
    "attempt.preparing": _("Offer accepted"),
    "attempt.running": _("Attempt started"),
    "attempt.succeeded": _("Attempt succeeded"),
    "attempt.uploading": _("Attempt is handing in its files"),
    "dataset.edit": _("Rows changed"),
    "dataset.label": _("Version made of a labelling"),
    "dataset.upload": _("Data uploaded"),
    "deployment.carry": _("Prompt and form of a deployment’s answers set"),
    "deployment.deploy": _("Deployment asked for"),
    "deployment.stop": _("Deployment stopped"),
    "draft.begin": _("Draft of data begun"),
    "draft.cancel": _("Draft of data cancelled"),
    "draft.change": _("Draft of data changed"),
    "draft.forget": _("Old drafts of data removed"),
    "draft.save": _("Draft of data saved"),
    "endpoint.remove": _("Endpoint removed"),
    "endpoint.save": _("Endpoint set up"),
    "endpoint.test": _("Endpoint tried"),
    "enrollment.refused": _("Enrollment refused"),
    "case.delete": _("Case deleted"),
    "case.import": _("Case imported"),
    "case.rate": _("Case rated"),
    "case.save": _("Case saved"),
    "case.share": _("Case shared or kept"),
    "reward.cancel_try": _("Dry run of a reward cancelled"),
    "reward.save": _("Reward saved"),
    "reward.try": _("Dry run of a reward asked for"),
    "workflow.save": _("Workflow saved"),
    "workflow_run.approve": _("Step of a workflow approved"),
    "workflow_run.cancel": _("Workflow run cancelled"),
    "workflow_run.expire": _("Step of a workflow refused: nobody decided in time"),
    "workflow_run.refuse": _("Step of a workflow refused"),
    "workflow_run.resume": _("Workflow run resumed"),
    "workflow_run.start": _("Workflow run started"),
    "job.cancel": _("Cancellation asked for"),
    "job.submit": _("Job submitted"),
    "join_token.create": _("Join token made"),
    "labelling.accept": _("Answers accepted together"),
    "labelling.take_back": _("Accepted answers taken back"),
    "labelling.close": _("Labelling closed"),
    "labelling.judge": _("Item judged"),
    "labelling.resume": _("Missing answers asked for"),
    "labelling.start": _("Labelling begun"),
    "labelling.stop": _("Answers asked for no longer"),
    "labelling.unskip": _("Skipped items asked for again"),
    "listener.add": _("Listener added"),
    "listener.change": _("Events of a listener chosen"),
    "listener.remove": _("Listener removed"),
    "listener.replay": _("Delivery sent again"),
    "listener.test": _("Test sent to a listener"),
    "machine.drain": _("Machine drained"),
    "machine.enroll": _("Machine joined"),
    "machine.lock": _("Machine locked"),
    "machine.recover": _("Machine came back with an expired certificate"),
    "machine.renew": _("Certificate renewed"),
    "machine.undrain": _("Machine takes jobs again"),
    "machine.describe": _("Machine renamed or labelled"),
    "machine.remove": _("Machine removed"),
    "member.remove": _("Member removed"),
    "member.set": _("Role given"),
    "method.delete": _("Method deleted"),
    "method.draft": _("Method handed in"),
    "method.publish": _("Method published"),
    "method.register": _("Method registered"),
    "method.restore": _("Method restored"),
    "method.try": _("Dry run asked for"),
    "project.create": _("Project made"),
    "prompt.save": _("Prompt saved"),
    "replica.create": _("Replica asked for"),
    "session.close": _("Signed out"),
    "session.close_all": _("Signed out everywhere"),
    "session.open": _("Signed in"),
    "session.refused": _("Sign-in refused"),
    "source.begin": _("Fetching of data asked for"),
    "source.look": _("Source of data looked at"),
    "source.refresh": _("Data fetched again"),
    "source.remove": _("Source of data removed"),
    "source.schedule": _("Time of fetching set"),
    "sweep.cancel": _("Sweep cancelled"),
    "sweep.start": _("Sweep started"),
    "thing.delete": _("Put into the trash"),
    "thing.describe": _("Renamed, described or tagged"),
    "thing.purge": _("Deleted for good"),
    "thing.restore": _("Taken out of the trash"),
    "token.create": _("API token made"),
    "token.revoke": _("API token revoked"),
    "trigger.add": _("Start by itself set"),
    "trigger.remove": _("Start by itself ended"),
    "upload.begin": _("Upload begun"),
    "upload.cancel": _("Upload cancelled"),
    "user.activate": _("Account switched on"),
    "user.administrator": _("Administrator’s rights given or taken"),
    "user.create": _("User made"),
    "user.deactivate": _("Account switched off"),
    "user.invite": _("User invited"),
    "user.language": _("Language chosen"),
    "user.link": _("Link for a password made"),
    "user.password_change": _("Password changed"),
    "user.password_refused": _("Change of the password refused"),
    "user.password_set": _("Password set"),
    "user.profile": _("Profile changed"),
}
DETAILS = {
    "administrator": _("administrator’s rights"),
    "attempt": _("attempt"),
    "blobs": _("files"),
    "bytes": _("bytes"),
    "case": _("case"),
    "changed": _("changed"),
    "code": _("result"),
    "connector": _("connector"),
    "count": _("entries"),
    "cron": _("times"),
    "data": _("with data"),
    "dataset": _("dataset"),
    "delivery": _("delivery"),
    "drafts": _("drafts"),
    "evaluation": _("evaluation"),
    "events": _("events"),
    "every": _("every (seconds)"),
    "file": _("file"),
    "generation": _("certificate no."),
    "hash": _("hash"),
    "join_token": _("join token"),
    "judgement": _("judgement"),
    "kind": _("kind"),
    "labelling": _("labelling"),
    "labels": _("labels"),
    "language": _("language"),
    "left_out": _("rows left out"),
    "machine": _("machine"),
    "machine_class": _("kind of machine"),
    "model": _("model"),
    "name": _("name"),
    "note": _("note"),
    "number": _("version"),
    "overwrite": _("changes made here may be left out"),
    "params": _("more"),
    "place": _("place"),
    "prompt": _("prompt"),
    "rating": _("rating"),
    "reason": _("reason"),
    "repeats": _("repeats run"),
    "replica": _("replica"),
    "role": _("role"),
    "row": _("row"),
    "rows": _("rows"),
    "schema": _("with a schema"),
    "sessions": _("sessions"),
    "shared": _("for every project"),
    "size": _("bytes in all"),
    "staging": _("unfinished uploads"),
    "step": _("step"),
    "time_zone": _("time zone"),
    "title": _("title"),
    "tokens": _("tokens"),
    "uploads": _("uploads"),
}
_KINDS = {"user": _("user"), "machine": _("machine"), "system": _("system")}
_COLUMNS = ("id", "time_utc", "actor", "address", "action", "subject", "details")


@blueprint.get("/p/<project>/audit")
@requires("audit.see")
def of_project(project: str) -> ResponseReturnValue:
    """A project's entries."""
    return _page(project)


@blueprint.get("/audit")
@requires("user.see")
def of_all() -> ResponseReturnValue:
    """Everything."""
    return _page(None)


@blueprint.get("/p/<project>/audit.csv")
@requires("audit.see")
def export_project(project: str) -> ResponseReturnValue:
    """A project's entries as a file."""
    return _file(project)


@blueprint.get("/audit.csv")
@requires("user.see")
def export_all() -> ResponseReturnValue:
    """Everything as a file."""
    return _file(None)


@blueprint.post("/audit/check")
@requires("user.see")
def check() -> ResponseReturnValue:
    """Check the whole record now."""
    audit_chain.check(the_actor(), the_control_plane())
    return redirect(url_for("audit.of_all"))


def _page(project: str | None) -> str:
    actor, cp, before = the_actor(), the_control_plane(), asked_number("before", 0)
    found = audit.list_entries(actor, cp, project, before, _PAGE + 1, _wanted())
    older = found[_PAGE - 1].id if len(found) > _PAGE else 0
    filters = {name: request.args.get(name, "") for name in _FILTERS}
    done = audit_chain.last_check()
    return render_template(
        "audit/index.html",
        entries=found[:_PAGE],
        older=older,
        of_project=project,
        filters=filters,
        actions=ACTIONS,
        details=_details,
        kinds=_KINDS,
        checked=done,
        problem=say(done.code, done.params, locale()) if done and done.code else "",
    )


def _details(entry: AuditRecord) -> list[tuple[str, str]]:
    """What an entry says further, in the reader's words; what is empty says nothing."""
    told = ((key, value) for key, value in entry.details.items() if value not in ("", None, {}, []))
    return [(DETAILS.get(key, key), _detail(value)) for key, value in told]


def _detail(value: object) -> str:
    if isinstance(value, bool):
        return str(gettext("yes") if value else gettext("no"))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def _wanted() -> audit.Wanted:
    """What the filters of the address ask for; an action also by its words in the reader's language."""
    fields = {name: request.args.get(name, "").strip() for name in _FILTERS}
    text = fields["action"].lower()
    return audit.Wanted(**fields, actions=[code for code, words in ACTIONS.items() if text in str(words).lower()])


def _file(project: str | None) -> Response:
    """Entries batch by batch, and at the end the head of the chain: a record that is shorter later shows by it."""
    actor, cp, wanted = the_actor(), the_control_plane(), _wanted()
    audit.list_entries(actor, cp, project, 0, 1)  # who may not is told before the first line

    def lines() -> Iterator[str]:
        yield "\N{ZERO WIDTH NO-BREAK SPACE}" + _csv(_COLUMNS)
        before = 0
        for _batch in range(_EXPORTED // _BATCH):
            batch = audit.list_entries(actor, cp, project, before, _BATCH, wanted)
            yield "".join(_line(entry) for entry in batch)
            if len(batch) < _BATCH:
                break
            before = batch[-1].id
        yield _csv(("head", datetime.fromtimestamp(cp.clock(), UTC).isoformat(), *[""] * 4, audit_chain.head_text(cp)))

    name = f"audit-{project}.csv" if project else "audit.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(stream_with_context(lines()), content_type="text/csv; charset=utf-8", headers=headers)


def _line(entry: AuditRecord) -> str:
    when = datetime.fromtimestamp(entry.at, UTC).isoformat()
    details = json.dumps(entry.details, ensure_ascii=False)
    return _csv((str(entry.id), when, entry.actor_name, entry.address, entry.action, entry.subject, details))


def _csv(cells: tuple[str, ...]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow([harmless(cell) for cell in cells])
    return buffer.getvalue()


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: what begins like one gets an apostrophe in front."""
    return f"'{cell}" if cell.lstrip()[:1] in ("=", "+", "-", "@") or cell[:1] in ("\t", "\r", "\n") else cell
