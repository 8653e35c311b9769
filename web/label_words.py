"""The words of labellings: what is judged, what came of it, and how far two people agree."""

from __future__ import annotations

from flask_babel import gettext, ngettext

from control_plane.domain.labelling import DISAGREED, Action, Kind, State
from control_plane.services.labelling.summary import Agreed, Summary
from control_plane.store.labelling import LabellingRecord
from control_plane.wording import say
from web import formatting
from web.languages import locale


def kind(labelling: LabellingRecord) -> str:
    """What is judged."""
    name = labelling.asked.get("name", "")
    if labelling.kind == Kind.VARIATIONS:
        return str(gettext("New rows by “%(name)s”", name=name))
    return str(gettext("Answers of “%(name)s”", name=name) if name else gettext("The rows’ own answers"))


def state(code: str) -> str:
    """How far a labelling is."""
    names: dict[str, str] = {
        State.ASKING: gettext("Asking the model"),
        State.OPEN: gettext("Open"),
        State.CLOSED: gettext("Closed"),
    }
    return names.get(code, code)


def outcome(code: str) -> str:
    """What an item has come to, or what somebody says of it."""
    names: dict[str, str] = {
        Action.ACCEPT: gettext("accepted"),
        Action.CORRECT: gettext("corrected"),
        Action.REJECT: gettext("rejected"),
        DISAGREED: gettext("disputed"),
        "": gettext("not judged yet"),
    }
    return names.get(code, code)


def reason(code: str, params: dict[str, object]) -> str:
    """Why asking waits or has ended, or why an item is unusable; empty where there is no reason."""
    return say(code, params, locale()) if code else ""


def progress(found: Summary) -> str:
    """How much of what was asked for is there."""
    counts = found.counts
    told = gettext("%(done)s of %(items)s answers are here", done=counts.items - counts.waiting, items=counts.items)
    return str(told)


def overtaken(found: Summary) -> str:
    """That the labelled data has a newer version, whose rows one saved here lacks; empty where it has none."""
    since = found.overtaken
    if since is None:
        return ""
    told = gettext(
        "This labelling began with version %(labelled)s, and since then version %(newest)s has come. What is saved "
        "here is made of version %(labelled)s: what changed since is not in it.",
        labelled=since.labelled,
        newest=since.newest,
    )
    return str(told)


def judged(found: Summary) -> str:
    """How much is judged."""
    counts = found.counts
    return str(gettext("%(done)s of %(items)s are judged", done=counts.settled, items=counts.items - counts.unusable))


def agreement(one: Agreed) -> str:
    """How far two people agree, in a sentence."""
    found, language = one.agreement, locale()
    items = ngettext("one item", "%(num)s items", found.n)
    share = formatting.percent(found.share.value, language)
    return str(gettext("said the same of %(share)s of the %(items)s that both judged", share=share, items=items))


def kappa(one: Agreed) -> str:
    """What Cohen's kappa says, with its interval; that it says nothing, where that is so."""
    found, language = one.agreement, locale()
    if found.kappa is None:
        return str(
            gettext("Both said one and the same of every item, so that kappa cannot tell agreement from chance.")
        )
    value, low, high = (
        formatting.number(round(part, 2), language) for part in (found.kappa.value, found.kappa.low, found.kappa.high)
    )
    told = gettext(
        "Cohen’s kappa %(value)s, 95 %% interval %(low)s to %(high)s, n = %(n)s",
        value=value, low=low, high=high, n=found.n,
    )  # fmt: skip
    return f"{told}: {_meaning(one)}"


def _meaning(one: Agreed) -> str:
    found = one.agreement
    if not found.is_telling or found.kappa is None:
        return str(gettext("too few to tell."))
    if found.kappa.low <= 0 <= found.kappa.high:
        return str(gettext("no more than chance would bring about."))
    if found.kappa.value < 0:
        return str(gettext("less than chance would bring about: each may understand the task otherwise."))
    if found.kappa.value < 0.4:
        return str(gettext("weak agreement. Talk about the disputed ones and agree on a rule."))
    if found.kappa.value < 0.75:
        return str(gettext("fair agreement."))
    return str(gettext("strong agreement."))
