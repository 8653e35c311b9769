"""In which encoding a text is: a byte-order mark says it, or the bytes do."""

from __future__ import annotations

import codecs
import io
import re
from typing import BinaryIO, cast

from charset_normalizer import from_bytes

from control_plane.domain.errors import EncodingUnsupported, RowEncodingWrong, RowNotText, RowsInvalid
from control_plane.preparation.reading.raw import MARK
from control_plane.preparation.reading.unpacking import HEAD

UTF_8, UTF_16, GB18030, WINDOWS_1252 = "utf-8", "utf-16", "gb18030", "windows-1252"

_CODECS = {UTF_8: "utf-8-sig", "utf-16-be": "utf-16-be", "utf-16-le": "utf-16-le"}
_CHINESE = re.compile("[\u4e00-\u9fff\u3000-\u303f\uff00-\uffef]")  # and its punctuation
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")
_CHUNK = 1 << 20  # bytes
_SAMPLE = 1 << 16  # bytes around the first that are not ASCII
_ZEROS = 0.3  # of the bytes at even or odd places: UTF-16 of a language with Latin letters

codecs.register_error("marked", lambda problem: (MARK, problem.end))  # type: ignore[attr-defined]


def opened(stream: BinaryIO, encoding: str) -> io.TextIOWrapper:
    """The text of a stream, lines as they end in it; `MARK` stands for what is nothing in this encoding."""
    return io.TextIOWrapper(stream, _CODECS.get(encoding, encoding), errors="marked", newline="")


def begin(stream: BinaryIO, encoding: str) -> str:
    """How the text begins; of a long one, to its last whole line. The stream stays where it is."""
    head = cast(io.BufferedReader, stream).peek(HEAD)[:HEAD]
    text = head.decode(_CODECS.get(encoding, encoding), "replace")
    return text if len(head) < HEAD else text[: text.rfind("\n") + 1] or text


def fault_of(text: str, encoding: str) -> RowsInvalid | None:
    """What keeps a text that was read from being one: bytes that are nothing in its encoding, or half a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return RowEncodingWrong(encoding=encoding) if MARK in text else RowNotText()
    return None


def of_text(file: str, stream: BinaryIO, told: str = "") -> str:
    """The encoding of a whole text: `utf-8`, `utf-16` (with a mark), `utf-16-le`, `utf-16-be`, `gb18030` or
    `windows-1252`. Reads as far as it takes to say. Raises EncodingUnsupported for UTF-32.

    What is told already stays, but that UTF-16 without a mark gets the order of its bytes.
    """
    if told and told != UTF_16:
        return told
    head = stream.read(_CHUNK)
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise EncodingUnsupported(file=file, encoding="UTF-32")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return UTF_16
    if zeros := _sixteen(head):
        return zeros
    if told:
        return "utf-16-le"
    foreign = _not_utf_8(head, stream)
    return _of_two(foreign) if foreign else UTF_8


def _sixteen(head: bytes) -> str:
    """UTF-16 without a mark: each second byte of Latin letters, digits and line ends is zero."""
    half = len(head) // 2
    even, odd = head[0 : 2 * half : 2].count(0), head[1 : 2 * half : 2].count(0)
    if max(even, odd) < half * _ZEROS or min(even, odd) > half * 0.01 or not half:
        return ""
    return "utf-16-be" if even > odd else "utf-16-le"


def _not_utf_8(head: bytes, stream: BinaryIO) -> bytes:
    """Bytes around the first place that is not UTF-8; empty where all of the stream is."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    before, chunk = b"", head
    while chunk:
        try:
            if decoder.getstate()[0] or not chunk.isascii():  # which is much faster to say
                decoder.decode(chunk)
        except UnicodeDecodeError as problem:
            around = before[-_SAMPLE:] + chunk
            at = len(around) - len(chunk) + max(0, problem.start - 8)
            return around[max(0, at - _SAMPLE) : at + _SAMPLE]
        before, chunk = chunk, stream.read(_CHUNK)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return before[-_SAMPLE:]
    return b""


def _of_two(sample: bytes) -> str:
    """GB18030 or Windows-1252, whichever the bytes rather are: both can be read as the other."""
    best = from_bytes(sample, cp_isolation=["gb18030", "cp1252"], threshold=0.6).best()
    told = best is None or best.encoding == "gb18030"
    return GB18030 if told and _are_pairs(sample) and _is_chinese(sample) else WINDOWS_1252


def _are_pairs(sample: bytes) -> bool:
    """Whether bytes beyond ASCII come in pairs, as those of Chinese characters do; umlauts and accents stand alone."""
    runs = [len(run) for run in _BEYOND_ASCII.findall(sample)]
    return sum(run for run in runs if run % 2 == 0) > 0.8 * sum(runs)


def _is_chinese(sample: bytes) -> bool:
    """Whether what is beyond ASCII comes out as Chinese characters and their punctuation, nearly all of it."""
    beyond = [one for one in sample.decode("gb18030", "replace") if ord(one) > 127]
    return len(_CHINESE.findall("".join(beyond))) > 0.9 * len(beyond)
