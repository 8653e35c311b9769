"""Datasets, their uploads, drafts and splits."""

from __future__ import annotations

from control_plane.domain.errors.family import Conflict, Invalid, TooMany, TunesmithError


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


class RowTooDemanding(Invalid):
    """To show this row as “{model}” sees it takes more memory or computing than is allowed."""


class SeeingBroke(TunesmithError):
    """The row could not be shown as “{model}” sees it, and nothing says why. The control plane's log has the
    details."""


class SeeingBusy(TooMany):
    """Others look at rows as a model sees them; please try again in a moment."""


class RowNotMade(Conflict):
    """The mapping makes no row of this record yet."""


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


class TokenizerMissing(TokenizerUnreadable):
    """“{model}” has no tokenizer that can be read here (tokenizer.json). Instead of a GGUF file choose the base model
    that it was made from."""


class ModelNeeded(Invalid):
    """This project has no base model yet. Import one, and rows can be shown as it sees them."""


class ChatTemplateFailed(Invalid):
    """The model's chat template fails: {reason}"""


class ChatTemplateWithoutTools(ChatTemplateFailed):
    """The model's chat template leaves tools out, such as {tool}: it cannot learn to call them."""


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
