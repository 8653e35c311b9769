"""Who may do what: the users of the installation, and the members of a project."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from control_plane.services.access import accounts, identity, people, projects
from web import fleet_snippets, snippets
from web.access import requires, the_actor, the_control_plane
from web.pages.item import Item
from web.refusals import shown_again

blueprint = Blueprint("people", __name__)
_OF_PROJECT = frozenset({"people.members", "people.set_member", "people.remove_member"})
_OF_ALL = frozenset({"people.index", "people.invite", "people.show", "people.create_link"})
navigation = (
    Item("admin", "people.members", _("Members"), "users", "member.see", others=_OF_ALL),
    Item("admin", "people.index", _("People"), "user", "user.see", others=_OF_PROJECT),
)


@blueprint.get("/people")
@requires("user.see")
def index() -> ResponseReturnValue:
    """Everybody who can sign in, and a form to invite."""
    return _index("", "")


@blueprint.post("/people")
@requires("user.change")
@shown_again("invite", index, "name", "title", "project", "role")
def invite() -> ResponseReturnValue:
    """Add a user; the one-time link is shown once."""
    actor, cp, form = the_actor(), the_control_plane(), request.form
    name, title = form.get("name", "").strip(), form.get("title", "").strip()
    administrator, project, role = form.get("administrator") == "true", form.get("project", ""), form.get("role", "")
    link = people.invite(actor, cp, name, title, administrator, project, role)
    return _index(link, name)


@blueprint.get("/people/<name>")
@requires("user.see")
def show(name: str) -> ResponseReturnValue:
    """One account: what it may do, which ways in are open, and how to open or close them."""
    return _account(name, "")


@blueprint.post("/people/<name>/deactivate")
@requires("user.change")
@shown_again("account", show)
def deactivate(name: str) -> ResponseReturnValue:
    """Let somebody in no longer."""
    accounts.deactivate(the_actor(), the_control_plane(), name)
    flash(gettext("%(name)s is switched off: no session and no API token is good any more.", name=name))
    return redirect(url_for("people.show", name=name))


@blueprint.post("/people/<name>/activate")
@requires("user.change")
@shown_again("account", show)
def activate(name: str) -> ResponseReturnValue:
    """Let somebody in again."""
    accounts.activate(the_actor(), the_control_plane(), name)
    flash(gettext("%(name)s may sign in again.", name=name))
    return redirect(url_for("people.show", name=name))


@blueprint.post("/people/<name>/administrator")
@requires("user.change")
@shown_again("account", show)
def set_administrator(name: str) -> ResponseReturnValue:
    """Give or take the right to do everything."""
    given = request.form.get("administrator") == "true"
    accounts.set_administrator(the_actor(), the_control_plane(), name, given)
    if given:
        flash(gettext("%(name)s is now an administrator.", name=name))
    else:
        flash(gettext("%(name)s is no longer an administrator.", name=name))
    return redirect(url_for("people.show", name=name))


@blueprint.post("/people/<name>/link")
@requires("user.change")
@shown_again("account", show)
def create_link(name: str) -> ResponseReturnValue:
    """A new one-time link for a password, shown once."""
    return _account(name, accounts.create_link(the_actor(), the_control_plane(), name))


@blueprint.post("/people/<name>/sign-out")
@requires("user.change")
@shown_again("account", show)
def sign_out(name: str) -> ResponseReturnValue:
    """End each of somebody's sessions."""
    accounts.sign_out(the_actor(), the_control_plane(), name)
    flash(gettext("%(name)s is signed out everywhere.", name=name))
    return redirect(url_for("people.show", name=name))


@blueprint.get("/p/<project>/members")
@requires("member.see")
def members(project: str) -> ResponseReturnValue:
    """Who is in this project, in which role."""
    found = projects.members(the_actor(), the_control_plane(), project)
    snippet = snippets.set_member(project)
    return render_template("people/members.html", members=found, role_choices=role_choices(), snippet=snippet)


@blueprint.post("/p/<project>/members")
@requires("member.change")
@shown_again("member", members, "name", "role")
def set_member(project: str) -> ResponseReturnValue:
    """Add a user, or change a role."""
    name, role = request.form.get("name", "").strip(), request.form.get("role", "")
    projects.set_member(the_actor(), the_control_plane(), project, name, role)
    flash(gettext("%(name)s is now %(role)s in this project.", name=name, role=dict(role_choices()).get(role, role)))
    return redirect(url_for("people.members", project=project))


@blueprint.post("/p/<project>/members/remove")
@requires("member.change")
def remove_member(project: str) -> ResponseReturnValue:
    """Take a user out of the project."""
    name = request.form.get("name", "")
    projects.remove_member(the_actor(), the_control_plane(), project, name)
    flash(gettext("%(name)s is no longer in this project.", name=name))
    return redirect(url_for("people.members", project=project))


def _index(link: str, invited: str) -> str:
    actor, cp = the_actor(), the_control_plane()
    places = [("", gettext("None yet"))] + [(place.name, place.label) for place in projects.list_projects(actor, cp)]
    return render_template(
        "people/index.html",
        users=people.list_users(actor, cp),
        link=link,
        invited=invited,
        project_choices=places,
        role_choices=role_choices(),
        snippet=fleet_snippets.invite_user(),
    )


def _account(name: str, link: str) -> str:
    account = accounts.get(the_actor(), the_control_plane(), name)
    snippet = fleet_snippets.create_user_link(name) if account.user.active else fleet_snippets.activate_user(name)
    return render_template(
        "people/show.html", account=account, link=link, role_words=dict(role_choices()), snippet=snippet
    )


def role_choices() -> list[tuple[str, str]]:
    """Each role with its name, the built-in ones' in the reader's language."""
    words = {
        "Owner": gettext("Owner"),
        "Developer": gettext("Developer"),
        "Expert": gettext("Expert"),
        "Viewer": gettext("Viewer"),
    }
    return [(role, words.get(role, role)) for role in identity.role_names()]
