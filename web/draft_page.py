"""What the page of a dataset's draft shows, whatever its state: made of its record, and of the mapping in the form."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask_babel import gettext

from control_plane.domain.errors import MappingNeeded
from control_plane.domain.preparation import DraftState, Look, Mapping, Report, Source, Split, read
from control_plane.domain.rows import FORMATS
from control_plane.services.datasets import drafts, sources
from control_plane.services.datasets.drafts import Previewed
from control_plane.store.drafts import DatasetDraftRecord
from control_plane.wording import say
from web import data_words, draft_form, findings, formatting, lengths, words
from web.access import the_actor, the_control_plane
from web.draft_form import Assigned
from web.findings import Found
from web.languages import locale
from web.lengths import Lengths

MAPPING_NEEDED = MappingNeeded(file="").code

_PREVIEWED = 5  # rows
_FIRST_GUESS = 2.0  # seconds of work before it is said how long it takes


@dataclass(frozen=True)
class Way:
    """One thing about the reading of a file that can be chosen."""

    name: str
    label: str
    options: list[tuple[str, str]]
    value: str


@dataclass(frozen=True)
class Seen:
    """A draft as its page shows it."""

    id: int
    state: DraftState
    source: Source  # as it is to be read
    look: Look | None
    report: Report | None  # of what is there now; None while every row is checked again
    mapping: Mapping  # as the form has it, complete or not
    preview: list[Previewed]  # the first records, and the rows that they will be
    split: Split
    name: str
    has_test_file: bool
    source_id: int | None = None  # that its file is fetched from
    connector: str = ""  # of that source
    is_fetched: bool = True  # its file is here
    share: float | None = None  # how much of the step is done, from 0 to 1; None: it waits for its turn
    left: str = ""  # how long it still takes, in words
    failure: str = ""  # a sentence
    needs_mapping: bool = False  # nothing suggested itself
    errors: dict[str, str] = field(default_factory=dict)  # of the split's fields
    models: list[tuple[str, str]] = field(default_factory=list)  # in whose tokens lengths can be told
    model: int = 0  # in whose they are; 0: in characters

    @property
    def what(self) -> str:
        """What the file is."""
        return data_words.what(self.look, self.report, self.source.name)

    @property
    def how(self) -> list[str]:
        """How it was read."""
        return data_words.how(self.look.source) if self.look else []

    @property
    def is_cancelled(self) -> bool:
        return self.state == DraftState.CANCELLED

    @property
    def is_whole(self) -> bool:
        """Whether each field has a column, so that what is shown is what would be saved."""
        return bool(self.mapping.format) and not self.missing

    @property
    def working(self) -> str:
        """What is going on; empty where nothing is."""
        busy = (DraftState.FETCHING, DraftState.LOOKING, DraftState.CHECKING, DraftState.SAVING)
        return words.draft_state(self.state) if self.state in busy else ""

    @property
    def ways(self) -> list[Way]:
        """What can be chosen about the reading of this kind of file; all of it, where nobody could read it."""
        kind = self.look.source.kind if self.look else "csv"
        sheets = self.look.sheets if self.look else []
        found_out, read_as = ("", gettext("found out by itself")), self.source
        ways = []
        if len(sheets) > 1:
            ways.append(Way("sheet", gettext("Sheet"), [(one, one) for one in sheets], read_as.sheet or sheets[0]))
        if kind in draft_form.KINDS:
            kinds = [(one, data_words.kind(one)) for one in draft_form.KINDS]
            ways.append(Way("kind", gettext("Kind of file"), kinds, kind))
            encodings = [found_out, *data_words.ENCODINGS.items()]
            ways.append(Way("encoding", gettext("Encoding"), encodings, read_as.encoding))
        if kind == "csv":
            known = [(one, data_words.delimiter(one)) for one in draft_form.DELIMITERS]
            ways.append(Way("delimiter", gettext("Columns are parted by"), [found_out, *known], read_as.delimiter))
        return ways

    @property
    def formats(self) -> list[tuple[str, str]]:
        """What a row may be; nothing is chosen where nothing suggested itself."""
        none = [] if self.mapping.format else [("", gettext("choose one"))]
        return none + [(name, words.row_format(name)) for name in FORMATS]

    @property
    def fields(self) -> list[tuple[str, str]]:
        """What a column may become."""
        return [(name, words.field(name)) for name in FORMATS.get(self.mapping.format, ())]

    @property
    def assigned(self) -> list[Assigned]:
        return draft_form.assigned(self.look, self.mapping) if self.look else []

    @property
    def missing(self) -> list[str]:
        """The fields that have no column yet, in words."""
        return [words.field(name) for name in draft_form.missing(self.mapping)]

    @property
    def shown_fields(self) -> tuple[str, ...]:
        return FORMATS.get(self.mapping.format, ())

    @property
    def findings(self) -> list[Found]:
        return findings.found(self.report) if self.report else []

    @property
    def found_nothing(self) -> list[str]:
        return findings.nothing(self.report) if self.report else []

    @property
    def lengths(self) -> Lengths | None:
        """How long the rows are; None where that is not known."""
        return lengths.of(self.report.facts) if self.report else None

    @property
    def columns(self) -> list[tuple[str, str]]:
        """The columns by which a split can go, by their numbers."""
        none = ("", gettext("no column"))
        return [none, *((str(at), one.name) for at, one in enumerate(self.look.columns))] if self.look else []

    def number_of(self, column: str) -> str:
        """The number of a column; empty for none."""
        names = [one.name for one in self.look.columns] if self.look else []
        return str(names.index(column)) if column in names else ""


def seen(draft: DatasetDraftRecord, mapping: Mapping | None = None) -> Seen:
    """A draft, with the mapping that the form has where that is not complete yet."""
    actor, cp = the_actor(), the_control_plane()
    look = drafts.look(actor, cp, int(draft.id)) if draft.state not in drafts.OVER else None
    chosen = mapping or (read(Mapping, draft.mapping) if draft.mapping else Mapping())
    is_whole = bool(chosen.format) and not draft_form.missing(chosen)
    is_open = draft.error == MAPPING_NEEDED
    is_ready = draft.state == DraftState.READY and not mapping
    return Seen(
        id=int(draft.id),
        state=DraftState(draft.state),
        source=read(Source, draft.train),
        look=look,
        report=drafts.report(actor, cp, int(draft.id)) if is_ready else None,
        mapping=chosen,
        preview=drafts.preview(actor, cp, int(draft.id), chosen)[:_PREVIEWED] if look and is_whole else [],
        split=read(Split, draft.split),
        name=str(draft.name),
        has_test_file=draft.test_upload_id is not None,
        source_id=draft.source_id,
        connector=str(sources.get(actor, cp, draft.source_id).connector) if draft.source_id else "",
        is_fetched=drafts.is_fetched(cp, draft),
        share=None if drafts.waits(draft) else draft.done_bytes / (draft.of_bytes or 1),
        left=time_left(draft, cp.clock()),
        failure=say(draft.error, draft.error_params, locale()) if draft.error and not is_open else "",
        needs_mapping=is_open,
        models=lengths.models(draft.base_model_id or 0) if is_ready else [],
        model=draft.base_model_id or 0,
    )


def time_left(draft: DatasetDraftRecord, now: float) -> str:
    """How long the step still takes at its pace so far; empty while that is not known."""
    passed = now - draft.started_at
    if not draft.started_at or not draft.done_bytes or passed < _FIRST_GUESS:
        return ""
    seconds = passed * (draft.of_bytes - draft.done_bytes) / draft.done_bytes
    return str(gettext("%(time)s left", time=formatting.duration(max(1.0, seconds), locale())))
