"""Sources of data, what fetches them, and the secrets that this takes."""

from __future__ import annotations

from control_plane.domain.errors.family import Conflict, Invalid, TunesmithError, Unavailable
from control_plane.domain.errors.things import FieldInvalid


class ConnectorUnknown(Invalid):
    """There is no connector “{connector}”. There are: {known}."""


class SourceBusy(Conflict):
    """This source is being fetched already."""


class SourceUnsaved(Conflict):
    """What this source brings is not saved as a dataset yet."""


class SourceFault(Invalid):
    """The source could not be read."""


class SourceUnreachable(SourceFault):
    """{place} cannot be reached: {problem}"""


class SourceOffline(SourceFault):
    """{place} cannot be reached. This works only where the server has a connection to the internet."""


class SourceAddressPrivate(SourceFault):
    """{place} is at an address inside a private network. An administrator can open it (TUNESMITH_SOURCE_NETWORKS)."""


class SourceAddressInvalid(SourceFault):
    """“{place}” is not an address that can be fetched. One begins with https:// or http:// and holds no password."""


class SourceRedirectsEndless(SourceFault):
    """{place} leads from one address to the next, and never to a file."""


class SourceInsecureRedirect(SourceFault):
    """{place} leads to an address without encryption."""


class SourceRefused(SourceFault):
    """{place} refused: {problem}"""


class SourceAccessDenied(SourceFault):
    """{place} asks for other credentials, or these may not read it: {problem}"""


class SourceGone(SourceFault):
    """{place} does not exist."""


class SourceCut(SourceFault):
    """{place} broke off: {arrived} of {size} bytes arrived."""


class SourceSilent(SourceFault):
    """{place} sent nothing for {allowed}."""


class SourceTooSlow(SourceFault):
    """The source was fetched for {allowed} and was not done; that is the longest that is allowed."""


class SourceTooLarge(SourceFault):
    """What the source holds is larger than {limit}, which is the most that is allowed."""


class SourceRowsTooMany(SourceFault):
    """The query gives more than {rows} rows. Narrow it, or raise the number."""


class SourceEmpty(SourceFault):
    """There is nothing in {place}."""


class SourceFolderClosed(SourceFault):
    """The folder “{folder}” is not one that an administrator opened (TUNESMITH_SOURCE_FOLDERS)."""


class SourceFoldersNone(SourceFault):
    """An administrator has opened no folder of the server yet (TUNESMITH_SOURCE_FOLDERS)."""


class SourcePathRefused(SourceFault):
    """“{file}” is not a plain file below the folder: links and steps upwards are not followed."""


class SourceQueryFailed(SourceFault):
    """The database refused the query: {problem}"""


class SourceFileOpen(SourceFault):
    """“{file}” has changes that are not in the file itself yet. Have the program that writes it finish first."""


class SourceColumnTwice(SourceFault):
    """The query gives two columns the name “{column}”. Name one of them with AS."""


class SourceFilesSeveral(SourceFault):
    """There are several files; name one of them: {files}"""


class SourceFormatUnfit(SourceFault):
    """{place} holds no file that can be read as data."""


class SourceDriverMissing(SourceFault):
    """This installation lacks what it needs for that: {package}."""


class SourceBroke(TunesmithError):
    """The source could not be fetched, and nothing says why. The control plane’s log has the details."""


class SourceColumnsGone(SourceFault):
    """The source has other columns than it had: {columns} are missing. Bring it anew and say what becomes of each."""


class SourceOvertaken(SourceFault):
    """Version {number} did not come from the source, and a refresh would leave out what was changed, labelled or
    uploaded here. It is fetched by itself no more until somebody presses “Refresh now” and confirms that."""


class SecretNeeded(Invalid):
    """The stored password was given for another place. Enter it again for this one."""


class SecretUnreadable(Unavailable):
    """A stored password cannot be opened with the key of this installation. Enter it again."""


class ScheduleInvalid(FieldInvalid):
    """This is no time at which something can be done: {problem}"""
