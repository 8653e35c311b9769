"""Methods, their parameters and inputs."""

from __future__ import annotations

from control_plane.domain.errors.family import Conflict, Invalid


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
