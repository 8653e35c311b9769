"""Files that are no data, or not as they stand."""

from __future__ import annotations

from control_plane.domain.errors.family import Invalid


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


class FormatUnknown(FileUnfit):
    """{file}, line {line}: the fields {fields} do not belong to a known dataset format. A row has “prompt” and
    “completion”; or both and “label” (true or false); or “messages”; or “prompt”, “chosen” and “rejected”; or
    “text”."""


class FileTooLarge(FileUnfit):
    """{file} is larger than {limit}, which is the most that is allowed."""
