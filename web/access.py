"""Who asks, and whether they may: each route states one permission (or that it needs none), and one hook holds it.

Flask-Login carries who asks. What it keeps in the cookie is the secret of a session of ours, which the server may end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Request, current_app, g, request, session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user

from control_plane.context import ControlPlane
from control_plane.domain.errors import NotFound, NotSignedIn, TokenRefused
from control_plane.domain.permissions import PERMISSIONS, Actor, require
from control_plane.services.access import people, projects
from control_plane.store.projects import ProjectRecord

View = TypeVar("View", bound=Callable[..., Any])

PUBLIC = "-public"
SIGNED_IN = "-signed-in"
BY_TOKEN = "-token"
_TOKEN_SECONDS = 5.0  # how long the gateway takes a token without looking, unless somebody's rights have changed
_MAX_TOKENS = 1_000


class Viewer(UserMixin):  # type: ignore[misc]
    """Who asks, as Flask-Login takes them."""

    def __init__(self, actor: Actor, secret: str = "") -> None:
        self.actor = actor
        self.secret = secret  # of their session; empty: they came with an API token

    def get_id(self) -> str:
        return self.secret


def recognize_people(app: Flask) -> None:
    """Set up Flask-Login."""
    manager = LoginManager()
    manager.session_protection = None  # a laptop changes its address; a session is ours to end
    manager.user_loader(_viewer_of_session)
    manager.request_loader(_viewer_of_bearer)
    # without `init_app`, which would look at each response, a static file's too, for a cookie that we never set
    app.login_manager = manager  # type: ignore[attr-defined]
    app.config["REMEMBER_COOKIE_NAME"] = f"{app.config['SESSION_COOKIE_NAME']}-remember"


def begin_session(secret: str) -> Actor:
    """Sign in with the secret of a new session, under a new cookie. Raises NotSignedIn."""
    actor = people.actor_of_session(the_control_plane(), secret, request.remote_addr or "")
    session.clear()  # nothing that somebody planted before is kept
    session.permanent = True
    login_user(Viewer(actor, secret))
    return actor


def end_session() -> None:
    """Sign out, on the server too."""
    people.sign_out(the_actor(), the_control_plane(), current_user.secret)
    logout_user()
    session.clear()


def requires(permission: str) -> Callable[[View], View]:
    """State what a page needs. Under `/p/<project>/…` it is asked of that project, elsewhere of any.

    Raises KeyError at import for a permission that is not in the table.
    """
    PERMISSIONS[permission]
    return lambda view: _mark(view, permission)


def signed_in(view: View) -> View:
    """State that a page needs a signed-in user and no permission."""
    return _mark(view, SIGNED_IN)


def public(view: View) -> View:
    """State that a page is for everybody."""
    return _mark(view, PUBLIC)


def by_token(view: View) -> View:
    """State that a route takes an API token (`Authorization: Bearer …`) and no cookie."""
    return _mark(view, BY_TOKEN)


def stated(view: object) -> str | None:
    """What a view function stated, None if nothing."""
    return getattr(view, "tunesmith_access", None)


def _mark(view: View, access: str) -> View:
    view.tunesmith_access = access  # type: ignore[attr-defined]
    return view


def the_control_plane() -> ControlPlane:
    """The control plane that this application shows."""
    found: ControlPlane = current_app.extensions["tunesmith"]
    return found


def the_actor() -> Actor:
    """Who asks. Raises NotSignedIn."""
    actor: Actor | None = g.get("actor")
    if actor is None:
        raise NotSignedIn
    return actor


def the_project() -> ProjectRecord:
    """The project of the address; on a page outside of projects NotFound is raised."""
    project: ProjectRecord | None = g.get("project")
    if project is None:
        raise NotFound
    return project


def current_project(seen: list[ProjectRecord]) -> ProjectRecord | None:
    """The project of the address; outside of projects, the one of those `seen` that was looked at last."""
    if g.get("project") is not None:
        return g.project  # type: ignore[no-any-return]
    last = session.get("project")
    return next((project for project in seen if project.name == last), seen[0] if seen else None)


def check() -> None:
    """Before each request: who asks, and may they? Raises NotSignedIn, Denied, NotFound."""
    view = current_app.view_functions.get(request.endpoint or "")
    access = stated(view)
    if request.endpoint == "static":
        return
    g.actor = getattr(current_user, "actor", None)  # whoever is not signed in has none
    if access == BY_TOKEN:
        return
    if view is None or access == PUBLIC:
        return
    if access is None:
        raise NotFound  # a route that states nothing is for nobody
    _hold(the_actor(), access)


def _hold(actor: Actor, access: str) -> None:
    name = (request.view_args or {}).get("project")
    permission = "project.see" if access == SIGNED_IN else access
    if name is not None:
        g.project = projects.get(actor, the_control_plane(), name, permission)
        session["project"] = name
    elif access != SIGNED_IN:
        require(actor, permission)


def _takes_token() -> bool:
    return stated(current_app.view_functions.get(request.endpoint or "")) == BY_TOKEN


def _viewer_of_session(secret: str) -> Viewer | None:
    if _takes_token():
        return None
    try:
        return Viewer(people.actor_of_session(the_control_plane(), secret, request.remote_addr or ""), secret)
    except NotSignedIn:
        session.pop("_user_id", None)
        return None


def _viewer_of_bearer(request: Request) -> Viewer | None:
    """Where a route takes API tokens. Raises TokenRefused."""
    if not _takes_token():
        return None
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenRefused
    tokens: TokenCache = current_app.extensions["tunesmith_tokens"]
    return Viewer(tokens.actor(the_control_plane(), token.strip(), request.remote_addr or ""))


class TokenCache:
    """Actors by API token, for a few seconds: a chat request costs no look-up of its token and its roles."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[float, int, Actor]] = {}

    def actor(self, cp: ControlPlane, token: str, address: str) -> Actor:
        """The token's actor. Raises TokenRefused."""
        now, version = cp.clock(), cp.signals.version("people")  # read before the rights are
        until, seen, actor = self._kept.get((token, address), (0.0, 0, None))
        if actor is not None and now < until and seen == version:
            return actor
        actor = people.actor_of_token(cp, token, address)
        if len(self._kept) >= _MAX_TOKENS:
            self._kept.clear()
        self._kept[token, address] = (now + _TOKEN_SECONDS, version, actor)
        return actor
