"""Datasets, their uploads, drafts and splits."""

from __future__ import annotations

from control_plane.domain.errors.family import Conflict, Invalid, TunesmithError


class DatasetEmpty(Invalid):
    """{file} contains no rows."""


class EditsEmpty(Invalid):
    """Nothing was changed."""


class LearntFromHeldOut(Invalid):
    """{count} of the held-out rows of “{dataset}” are among those that “{model}” learnt from, so an evaluation would
    flatter it: rows {rows}."""


class UploadOffsetWrong(Conflict):
    """Of “{file}” {arrived} bytes are here; go on from there."""


class UploadTooLong(Invalid):
    """More of “{file}” arrived than the {size} bytes that were announced."""


class UploadIncomplete(Conflict):
    """“{file}” has not arrived whole yet: {arrived} of {size} bytes are here."""


class UploadGone(Conflict):
    """“{file}” is no longer kept; please send it again."""


class UploadsTooMany(Conflict):
    """You have {count} files on their way, which is the most at once. Save or cancel what was begun with them."""


class UploadsTooLarge(Conflict):
    """With “{file}” your files on their way would need {needed}; {limit} are allowed. Save or cancel what was begun."""


class DraftsTooMany(Conflict):
    """You have {count} drafts of datasets, which is the most at once. Save or discard one of them."""


class DraftOver(Conflict):
    """This draft can no longer be changed: its state is {state}."""


class DraftNotReady(Conflict):
    """This draft cannot be saved yet: it is still being read, or something is wrong with it."""


class MappingNeeded(Invalid):
    """Nothing in “{file}” says what its columns mean; choose what becomes of each."""


class PreparationTooSlow(TunesmithError):
    """The file was read for {allowed} and was not done; that is the longest that is allowed."""

    status = "invalid"


class PreparationBroke(TunesmithError):
    """The file could not be read, and nothing says why. The control plane's log has the details."""


class TokenizerUnreadable(Invalid):
    """The model has no tokenizer that can be read here (tokenizer.json)."""


class ChatTemplateFailed(Invalid):
    """The model's chat template fails: {reason}"""


class ChatTemplateEndless(ChatTemplateFailed):
    """The model's chat template takes longer than {seconds} seconds for this row, or writes more than {most}
    characters."""


class SplitColumnMissing(Invalid):
    """{file} has no column “{column}”, by which rows are to be held out."""


class SplitColumnVaried(Invalid):
    """The column “{column}” of {file} has more than {most} different values: of so many no share each can be held
    out."""


class HeldOutLeak(Invalid):
    """{count} rows are both in the training data and in the held-out data; the first is row {line} of the
    held-out data."""
