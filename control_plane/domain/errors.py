"""What can go wrong, as one hierarchy. Each class's docstring is the user's sentence; its placeholders are `params`.

A code and parameters travel and are stored; the words are made at the edge, in the reader's language
(`control_plane/wording.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator


class TunesmithError(Exception):
    """Something went wrong."""

    status = "failed"  # a row of STATUS in control_plane/statuses.py

    def __init__(self, **params: object) -> None:
        self.params = params
        super().__init__(f"{self.code}: {params}" if params else self.code)

    @property
    def code(self) -> str:
        """The class's name in snake case: `JobNotFound` → `job_not_found`."""
        return code_of(type(self))

    def storable(self) -> dict[str, object]:
        """The parameters as they can stand in a row."""
        return {
            key: value if isinstance(value, str | int | float | list) else str(value)
            for key, value in self.params.items()
        }

    def __str__(self) -> str:
        return sentence_of(type(self)).format_map(_Lenient(self.params))


class _Lenient(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "?"


def code_of(kind: type[TunesmithError]) -> str:
    """The stable code of an error class."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def sentence_of(kind: type[TunesmithError]) -> str:
    """The English sentence with placeholders: the docstring on one line; it is the catalogue's key."""
    return " ".join((kind.__doc__ or "").split())


def every() -> Iterator[type[TunesmithError]]:
    """Each concrete error class, parents before children."""
    pending: list[type[TunesmithError]] = [TunesmithError]
    while pending:
        kind = pending.pop(0)
        yield kind
        pending.extend(kind.__subclasses__())


# ---- whole families: their status is inherited


class NotFound(TunesmithError):
    """This does not exist, or you may not see it."""

    status = "not_found"


class Denied(TunesmithError):
    """You are not allowed to do this: it needs the permission “{permission}”."""

    status = "denied"


class NotSignedIn(TunesmithError):
    """Please sign in."""

    status = "unauthenticated"


class Invalid(TunesmithError):
    """The input is not valid."""

    status = "invalid"


class Conflict(TunesmithError):
    """This is not possible in the present state."""

    status = "conflict"


class Unavailable(TunesmithError):
    """This is not available at the moment; please try again."""

    status = "unavailable"


class TooMany(TunesmithError):
    """Too many requests at once; please try again in a moment."""

    status = "too_many"


class Slowed(TooMany):
    """There were several wrong passwords in a row; please try again in {seconds} seconds."""


# ---- the audit record


class AuditFinding(Conflict):
    """The audit record is not as it was written."""


class AuditEntryChanged(AuditFinding):
    """Entry {entry} was changed or removed after it was sealed, or its seal was."""


class AuditEndMissing(AuditFinding):
    """The record once had {count} sealed entries, the last of them {entry}; that end is missing or another one now."""


class AuditHeadMissing(AuditFinding):
    """The signed head of the record is missing, or was not written by this installation."""


class AuditEntryUnsealed(AuditFinding):
    """Entry {entry} has no seal: it was put in afterwards."""


class AuditColumnsOther(AuditFinding):
    """The record's table has other columns than ours: {columns}."""


# ---- the link


class Fenced(Conflict):
    """A newer attempt has taken over; this one must stop."""

    status = "fenced"


class Superseded(Conflict):
    """A newer session of this machine has taken over."""

    status = "fenced"


class VersionRefused(Conflict):
    """The agent {agent} cannot work with the control plane {control_plane}: it may be up to 3 minor versions
    older, never newer."""


class CertificateRefused(Denied):
    """The certificate is not, or no longer, valid for this fleet."""

    status = "unauthenticated"


class JoinTokenRefused(Denied):
    """The join token is unknown, expired or already used."""

    status = "unauthenticated"


class AddressLoopback(Conflict):
    """Other machines cannot reach this control plane: its address is {address}, which means “this machine” everywhere.
    Set TUNESMITH_PUBLIC_HOST to a name or address that they can reach, and TUNESMITH_HOST to 0.0.0.0 so that it listens
    there; then start it again."""


class SequenceGap(Conflict):
    """Report {sequence} came before report {expected}."""


class ChunkCorrupt(Invalid):
    """A chunk does not match its sha256."""


class ArtifactIncomplete(Conflict):
    """The artifact lacks {missing} chunks."""


class ArtifactUnderWay(Unavailable):
    """The artifact's files are still being verified. Ask again in a moment."""


class PathRefused(Invalid):
    """The file name “{path}” is not allowed."""


class FileTypeRefused(Invalid):
    """The file “{path}” is of a type that may not leave a machine."""


class DiskFull(Unavailable):
    """The disk is full: {needed} are needed and {free} are free."""


# ---- signing in


class WrongPassword(NotSignedIn):
    """The name or the password is wrong."""


class OldPasswordWrong(Invalid):
    """The current password is not right."""


class LinkExpired(NotSignedIn):
    """This one-time link was used or has expired."""


class PasswordTooShort(Invalid):
    """The password must have at least {minimum} characters."""


class LastAdministrator(Conflict):
    """“{name}” is the last administrator who can sign in. Make somebody else an administrator first."""


class UserInactive(Conflict):
    """“{name}” is switched off. Switch the account on first."""


class AccountIsLocal(Conflict):
    """“{name}” is the account of the data folder: it can be switched off and on, and nothing else."""


class TokenRefused(NotSignedIn):
    """The API token is unknown, expired or revoked."""


class RequestForged(Denied):
    """The form has expired; please load the page again and repeat the step."""

    status = "invalid"


# ---- names and lists


class NameInvalid(Invalid):
    """“{name}” is not a valid name: use lower-case letters, digits, dots, underscores and hyphens, at most 64
    of them."""


class NameTaken(Conflict):
    """“{name}” exists already."""


class UserUnknown(NotFound):
    """There is nobody called “{name}”."""


class FieldInvalid(Invalid):
    """{field}: {problem}"""


# ---- the trash


class InTrash(NotFound):
    """“{name}” is in the trash. Restore it to use it again."""


class NotInTrash(Conflict):
    """“{name}” is not in the trash."""


class InUse(Conflict):
    """“{name}” is in use: {users}."""


class ServedBy(InUse):
    """“{name}” is what these deployments serve: {users}. Delete them first."""


class ReadByJobs(InUse):
    """“{name}” is read by jobs that have not ended: {users}. Wait for them, or cancel them."""


class RestedOn(InUse):
    """“{name}” is what these models rest on: {users}. Delete them first."""


class RunUnderWay(InUse):
    """“{name}” belongs to guided runs that still go on: {users}. Wait for them, or cancel them."""


class SweepUnderWay(InUse):
    """“{name}” belongs to sweeps that still go on: {users}. Wait for them, or cancel them."""


class JobUnderWay(Conflict):
    """“{name}” has not ended. Cancel it first."""


class DeploymentWanted(Conflict):
    """“{name}” is to be served. Stop it first."""


class NeedsTrashed(Conflict):
    """“{name}” needs “{other}”, which is in the trash. Restore that first."""


class NeedsPurged(Conflict):
    """“{name}” needs “{other}”, which was deleted for good."""


# ---- data


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


class FileUnfit(Invalid):
    """{file} is not JSON Lines."""


class EncodingUnsupported(FileUnfit):
    """{file} is encoded as {encoding}; please save it as UTF-8."""


class FileKindUnsupported(FileUnfit):
    """“{file}” is a file of the kind {kind}. What can be read is JSON Lines: one JSON object a line, in UTF-8."""


class FileIsDocument(FileUnfit):
    """“{file}” is one JSON document. What can be read is JSON Lines: each object on a line of its own, without brackets
    around all of them and without commas between them."""


class FileIsTable(FileUnfit):
    """“{file}” is a table with columns (CSV). What can be read is JSON Lines: one JSON object a line, such as
    {{"prompt": "…", "completion": "…"}}."""


class FileKindUnreadable(FileUnfit):
    """“{file}” is a file of the kind {kind}. What can be read is JSON Lines, JSON, CSV, Parquet, Excel (XLSX) and plain
    text; each may be packed with gzip or zip."""


class FileBroken(FileUnfit):
    """{file} is damaged or not whole."""


class FileBreaksOff(FileBroken):
    """{file} is damaged or not whole: behind record {line} it cannot be read."""


class FileTooDemanding(FileUnfit):
    """To read {file} takes more than the {limit} of memory that are allowed. Save it in another form, such as JSON
    Lines, CSV or Parquet, or in several files."""


class FileTooSlow(FileUnfit):
    """To read {file} takes more computing than the {allowed} that are allowed. Bring it in several files."""


class ArchiveEncrypted(FileUnfit):
    """{file} is protected by a password. Unpack it first."""


class ArchiveNested(FileUnfit):
    """{file} is an archive in which there is another archive. Unpack it once first."""


class ArchiveNotOneFile(FileUnfit):
    """{file} is an archive of {count} files. Bring one file at a time, or an archive of one."""


class ArchiveSwelling(FileUnfit):
    """{file} unpacks to more than {times} times its size, as no file of data does."""


class SheetMissing(FileUnfit):
    """{file} has no sheet “{sheet}”."""


class SheetTooLarge(FileUnfit):
    """{file} is too large for a workbook: a sheet may have {rows} rows, and all texts together {limit}. Save it as CSV
    or Parquet."""


class CellTooLong(FileUnfit):
    """{file} has a cell that is longer than the {limit} that are allowed."""


class RowsInvalid(Invalid):
    """{file}, line {line}: the row is faulty."""


class RowNotJson(RowsInvalid):
    """{file}, line {line}: this is not JSON (character {column})."""


class RowNotObject(RowsInvalid):
    """{file}, line {line}: a row must be one JSON object, such as {{"prompt": "…", "completion": "…"}}."""


class RowNotUtf8(RowsInvalid):
    """{file}, line {line}: byte {column} is not UTF-8."""


class RowEncodingWrong(RowsInvalid):
    """{file}, line {line}: there are bytes that are no text in the encoding {encoding}."""


class RowRagged(RowsInvalid):
    """{file}, line {line}: the row has {count} cells, and the heading has {columns}."""


class RowQuotesWrong(RowsInvalid):
    """{file}, line {line}: a quotation mark begins a cell and does not end it."""


class RowNotText(RowsInvalid):
    """{file}, line {line}: the row contains half of a character (a lone surrogate)."""


class RowTooLong(RowsInvalid):
    """{file}, line {line}: the row is longer than the {limit} that are allowed."""


class RowTooDeep(RowsInvalid):
    """{file}, line {line}: the row is nested too deeply."""


class RowNotNumber(RowsInvalid):
    """{file}, line {line}: “{value}” is not a number in JSON."""


class RowFieldTwice(RowsInvalid):
    """{file}, line {line}: the field “{field}” appears twice."""


class RowFieldMissing(RowsInvalid):
    """{file}, line {line}: the field “{field}” is missing."""


class RowFieldEmpty(RowsInvalid):
    """{file}, line {line}: the field “{field}” is empty."""


class RowFieldTypeWrong(RowsInvalid):
    """{file}, line {line}: the field “{field}” must be {expected}."""


class RowFieldNotText(RowsInvalid):
    """{file}, line {line}: the field “{field}” must hold text."""


class RowRoleUnknown(RowsInvalid):
    """{file}, line {line}: “{role}” is not a role; use system, user or assistant."""


class RowEndsWrong(RowsInvalid):
    """{file}, line {line}: the last message must be the assistant's."""


class RowPromptEndsWrong(RowsInvalid):
    """{file}, line {line}: the last message of “prompt” must not be the assistant's; the answer has its own field."""


class RowBeginningsDiffer(RowsInvalid):
    """{file}, line {line}: before its last message the conversation must be the same in “prompt”, “chosen” and
    “rejected”."""


class RowAnswersSame(RowsInvalid):
    """{file}, line {line}: “chosen” and “rejected” are the same answer, so nothing can be learnt from the pair."""


class FormatUnknown(FileUnfit):
    """{file}, line {line}: the fields {fields} do not belong to a known dataset format. A row has “prompt” and
    “completion”; or both and “label” (true or false); or “messages”; or “prompt”, “chosen” and “rejected”; or
    “text”."""


class FileTooLarge(FileUnfit):
    """{file} is larger than {limit}, which is the most that is allowed."""


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


# ---- methods and jobs


class MethodUnknown(Invalid):
    """There is no method “{method}”."""


class MethodBroken(Invalid):
    """The method “{method}” has a faulty manifest: {problem}"""


class ManifestFaulty(MethodBroken):
    """The method “{method}” has a fault in line {line} of method.toml, at {field}: {problem}"""


class MethodFileMissing(Invalid):
    """The method lacks the file {file}."""


class MethodFileRefused(Invalid):
    """“{path}” cannot be part of a method: only ordinary files below its folder can, no links and no paths that lead
    out of it."""


class MethodFilesTooMany(Invalid):
    """The method has more than {most} files."""


class MethodTooLarge(Invalid):
    """The files of a method may have {limit} in all; these have more."""


class MethodArchiveUnreadable(Invalid):
    """This is no ZIP archive that can be read."""


class MethodTaken(Conflict):
    """There is a method “{method}” already: choose another internal name, or edit that one."""


class MethodNameReserved(Invalid):
    """“{method}” cannot be the internal name of a method: the folder of that name holds what all methods share. Choose
    another one."""


class MethodNotTried(Conflict):
    """Version {number} of “{method}” has not come through a dry run: it can be published after one that succeeds."""


class MethodDeleted(Conflict):
    """The method “{method}” was deleted; restore it first."""


class MethodUntriable(Invalid):
    """A dry run gives a method a tiny base model and a few rows; the input “{input}” takes neither."""


class ParameterUnknown(Invalid):
    """The method “{method}” has no parameter “{parameter}”."""


class PresetUnknown(Invalid):
    """The method “{method}” has no preset “{preset}”; it has: {known}."""


class ParameterInvalid(Invalid):
    """The parameter “{parameter}” is not valid: {problem}"""


class ParameterMissing(ParameterInvalid):
    """The parameter “{parameter}” is missing."""


class ParameterOutOfRange(ParameterInvalid):
    """The parameter “{parameter}” is {value}; it must be {range}."""


class ParameterNotListed(ParameterInvalid):
    """The parameter “{parameter}” is “{value}”; it must be one of: {allowed}."""


class ParameterTypeWrong(ParameterInvalid):
    """The parameter “{parameter}” has the wrong type; it takes: {expected}."""


class ParameterLengthWrong(ParameterInvalid):
    """The parameter “{parameter}” has the wrong length; it takes {range} characters."""


class ParameterUnsupported(ParameterInvalid):
    """The serving engine cannot do what “{parameter}” asks for; please leave it out or change it."""


class InputMissing(Invalid):
    """The input “{input}” is missing."""


class InputUnknown(Invalid):
    """The method “{method}” has no input “{input}”."""


class InputUnfit(Invalid):
    """The input “{input}” takes {accepted}, not {given}."""


class AdapterNotMergeable(Invalid):
    """The model “{model}” is a learned prompt in front of its base model. It has no weights to merge, so it cannot be
    packaged or deployed."""


class HeldOutMissing(Invalid):
    """The dataset has no held-out rows, which this method needs."""


class JobOver(Conflict):
    """The job has ended already ({state})."""


class GuidedRunOver(Conflict):
    """The run has ended already ({state})."""


class SweepWithoutChoice(Invalid):
    """A sweep needs at least one parameter with two different values, or a range."""


class SweepTooLarge(Invalid):
    """“{what}”: {count} are more than the {limit} that a sweep can have."""


class SweepOver(Conflict):
    """The sweep has ended already ({state})."""


class SweepBehind(Conflict):
    """It was ended early: at the same step, half of the sweep's other jobs had done better."""


class SweepFailing(Conflict):
    """The first {count} jobs have all failed; job {job} says why."""


class SweepMethodChanged(Conflict):
    """The method “{method}” was changed meanwhile; results of its versions cannot be compared."""


# ---- graphs of steps


class GraphInvalid(Invalid):
    """The plan is not valid."""


class StepMalformed(GraphInvalid):
    """The plan's step “{step}” is malformed: {problem}."""


class StepInputMissing(GraphInvalid):
    """The plan's step “{step}” is not given the input “{input}”."""


class StepInputUnknown(GraphInvalid):
    """The method of the plan's step “{step}” has no input “{input}”."""


class GraphEmpty(GraphInvalid):
    """The plan has no step that anything could carry out."""


class EdgeUnknown(GraphInvalid):
    """The plan says “{edge}” at {place}, but no earlier step makes that."""


class EdgeUnfit(GraphInvalid):
    """The plan says “{edge}” at {place}; that is “{given}”, and what fits there is: {accepted}."""


# ---- why an attempt failed


class TrainerCrashed(TunesmithError):
    """The method's program ended with status {status}. Its last lines: {lines}"""


class TrainerKilled(TunesmithError):
    """The method's program was ended by the signal {signal}. Its last lines: {lines}"""


class TimeLimit(TunesmithError):
    """It ran longer than the {allowed} that it was allowed, and was ended. Ask for it again with a longer time limit if
    it needs more."""


class MemoryLimit(TunesmithError):
    """It needed more than the {limit} of main memory that such a job may take on this machine, and was ended. Its last
    lines: {lines}"""


class RunnerVanished(TunesmithError):
    """The program that watches over the training disappeared without a result."""


class OutputMissing(TunesmithError):
    """The method ended without the promised output “{output}”."""


class EnvironmentFailed(TunesmithError):
    """The method's environment could not be built: {lines}"""


class EventsTooMany(TunesmithError):
    """More than {limit} events were reported; those that follow are not kept."""


class OutputUnreadable(TunesmithError):
    """The output “{output}” is not what the method's manifest promises: {problem}"""


class AgentRestarted(TunesmithError):
    """The machine restarted during the attempt."""


class AgentError(TunesmithError):
    """The agent of the machine met an error, tried again and could not go on: {problem}"""


class ControlPlaneError(TunesmithError):
    """The control plane met an error when it took the machine's report. Its log says more; please tell an
    administrator."""


class OfferUnbuildable(TunesmithError):
    """What the job needs can no longer be read, so no machine can be given it: {problem}"""


class MethodUnapproved(TunesmithError):
    """The machine's owner lets only approved method versions run on it, and {hash} of “{method}” is none of them."""


class MethodRefused(TunesmithError):
    """The method refused its input: {text}"""


# ---- serving


class NothingServes(Unavailable):
    """No machine serves “{deployment}” at the moment."""


class EngineFailed(Unavailable):
    """The serving engine on the machine failed: {problem}"""


class EngineEnvironment(Unavailable):
    """The machine is installing the serving engine; the first time this takes some minutes."""


class EngineCompiling(Unavailable):
    """This machine has no ready-made serving engine, so it compiles one, once; this takes about ten minutes."""


class EngineFallback(Unavailable):
    """The machine serves with its second engine, which answers one question at a time; the others wait."""


class PartUnsupported(ParameterUnsupported):
    """“{parameter}” is of the type “{kind}”. The models that are served here read text: send parts of the type
    “text”."""


class EchoUnsupported(ParameterUnsupported):
    """“{parameter}” is not possible: the serving engine does not give the probabilities of the tokens of a prompt, so
    that given answers cannot be scored here. Leave it out to have a text continued."""


class ToolsUnsupported(ParameterUnsupported):
    """“{parameter}” is not possible: the chat template of this model, or its serving engine, knows no tools, so that
    none can be required. Use “auto” or “none”, or a model whose template knows tools."""


class TemplateRefused(ParameterUnsupported):
    """“{parameter}”: the chat template of this model does not take these messages, perhaps because of their roles or
    their order."""


class ContextExceeded(Invalid):
    """The request has {tokens} tokens, and the deployment has room for {most}, question and answer together."""


class RequestRefused(Invalid):
    """The serving engine does not take this request; the log of the agent on its machine says more."""


class EmbeddingsUnsupported(ParameterUnsupported):
    """“{parameter}”: the models that are served here write text; none of them gives embeddings."""


class MachineWentAway(Unavailable):
    """The connection to the machine that serves this is gone; please try again in a moment."""


class ReaderTooSlow(Unavailable):
    """The answer was not read fast enough and was ended."""


class DeadlineExceeded(Unavailable):
    """There was no answer within {seconds} seconds."""


class ModelUnfit(Invalid):
    """“{model}” cannot be served: only GGUF models can. Package it first."""


class ModelOnlyScores(Invalid):
    """“{model}” is a reward model: it scores answers and writes none, so it cannot be served."""


class StepCancelled(Conflict):
    """Its job {job} was cancelled."""


class DeploymentChanged(Conflict):
    """The deployment “{deployment}” was stopped, or given another model, before it served this one."""


# ---- what the control plane itself finds wrong with an attempt


class LeaseExpired(TunesmithError):
    """The machine was silent for too long; the attempt is taken to be lost."""


class MachineLocked(TunesmithError):
    """The machine was locked; the job goes to another one."""


class OfferUnanswered(TunesmithError):
    """The machine did not answer the offer in time."""


class MachinesLost(TunesmithError):
    """The job lost its machine {count} times and is not tried again."""


class EventUnreadable(TunesmithError):
    """The method reported something that cannot be read: {line}"""
