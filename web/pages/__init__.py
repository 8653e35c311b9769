"""The pages: one module per noun, each with its `blueprint` and, if it stands in the navigation, its `navigation`.

To add a page, write `pages/<noun>.py` and name it in PAGES. Addresses inside a project begin with `/p/<project>/`.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

from flask import Flask, current_app, g, request, url_for
from flask_babel import gettext

from control_plane.domain.permissions import Actor
from control_plane.services.access import projects as places
from control_plane.store.projects import ProjectRecord
from control_plane.wording import LOCALES
from web import bells
from web.access import current_project, the_control_plane
from web.languages import locale
from web.pages import (
    account,
    audit,
    base_models,
    cases,
    compare,
    datasets,
    deployments,
    drafts,
    endpoints,
    evaluations,
    help,
    home,
    jobs,
    labellings,
    listeners,
    machines,
    methods,
    models,
    notifications,
    own_methods,
    people,
    projects,
    prompts,
    rewards,
    row_edits,
    saved_cases,
    search,
    sign_in,
    sources,
    sweeps,
    things,
    tokens,
    triggers,
    uploads,
    versions,
    workflow_runs,
    workflows,
)
from web.pages.item import Item

# In the order of the navigation.
PAGES: tuple[ModuleType, ...] = (
    sign_in,
    home,
    search,
    cases,
    saved_cases,
    workflow_runs,
    datasets,
    uploads,
    drafts,
    endpoints,
    sources,
    versions,
    row_edits,
    labellings,
    base_models,
    jobs,
    compare,
    sweeps,
    rewards,
    workflows,
    triggers,
    prompts,
    models,
    evaluations,
    deployments,
    things,
    machines,
    projects,
    people,
    listeners,
    methods,
    own_methods,
    audit,
    notifications,
    account,
    tokens,
    help,
)


def register(app: Flask) -> None:
    """Register each page's blueprint."""
    for page in PAGES:
        app.register_blueprint(page.blueprint)


def frame() -> dict[str, Any]:
    """What base.html draws around a page: navigation, projects, languages, who is signed in."""
    always: dict[str, Any] = {"locale": locale(), "languages": list(LOCALES.items())}
    actor: Actor | None = g.get("actor")
    if actor is None or request.blueprint == "gateway":
        return always
    seen = places.list_projects(actor, the_control_plane())
    current = current_project(seen)
    return always | {
        "viewer": actor,
        "project": current,
        "projects": [{"name": project.label, "url": url_for("home.show", project=project.name)} for project in seen],
        "navigation": _navigation(actor, current),
        "home_url": url_for("home.show", project=current.name) if current else url_for("home.start"),
        "search_url": url_for("search.show", project=current.name) if current else "",
        "events_url": url_for("live.events"),
        "begun_at": g.begun_at,
        "account_url": url_for("account.show"),
        "projects_url": url_for("projects.index"),
        "sign_out_url": url_for("sign_in.leave"),
        "unread": lambda: bells.unread(actor, the_control_plane()),
        "may": lambda permission: actor.may(permission, current.id if current else None),
    }


def _navigation(actor: Actor, project: ProjectRecord | None) -> list[dict[str, Any]]:
    titles = {"work": gettext("Work"), "fleet": gettext("Fleet"), "admin": gettext("Administration")}
    found = []
    for group, title in titles.items():
        entries = [entry for item in _items(group) for entry in _entry(item, actor, project)]
        if entries:
            found.append({"group": title, "items": entries})
    return found


def _items(group: str) -> Iterator[Item]:
    found = (getattr(page, "navigation", ()) for page in PAGES)
    return (item for items in found for item in ((items,) if isinstance(items, Item) else items) if item.group == group)


def _entry(item: Item, actor: Actor, project: ProjectRecord | None) -> Iterator[dict[str, Any]]:
    inside = current_app.url_map.is_endpoint_expecting(item.endpoint, "project")
    if inside and project is None:
        return
    if not actor.may(item.permission, project.id if inside and project else None):
        return
    yield {
        "url": url_for(item.endpoint, project=project.name) if inside and project else url_for(item.endpoint),
        "label": item.label,
        "icon": item.icon,
        "shortcut": item.shortcut,
        "active": item.owns(request.endpoint or ""),
    }
