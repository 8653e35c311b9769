"""Nothing that is handed in leads out of a method's folder or is too much, and each refusal names what is wrong."""

import io
import stat
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZipFile, ZipInfo

import pytest

from control_plane.domain.errors import (
    MethodArchiveUnreadable,
    MethodFileMissing,
    MethodFileRefused,
    MethodFilesTooMany,
    MethodTooLarge,
)
from control_plane.domain.method_files import LARGEST, MOST_FILES, checked, unpacked


def archive(files: dict[str, bytes], link: str = "") -> ZipFile:
    target = io.BytesIO()
    with ZipFile(target, "w", ZIP_DEFLATED) as written:
        for path, data in files.items():
            entry = ZipInfo(path)
            entry.external_attr = ((stat.S_IFLNK if path == link else stat.S_IFREG) | 0o644) << 16
            written.writestr(entry, data, ZIP_DEFLATED)
    return ZipFile(target)


@pytest.mark.parametrize("root", ["", "mine/", "a/b/"])
def test_the_folder_of_the_manifest_is_the_root_and_caches_are_left_out(root: str) -> None:
    files = {
        f"{root}method.toml": b"m",
        f"{root}checks/one.py": b"c",
        f"{root}__pycache__/x.pyc": b"",
        "__MACOSX/x": b"",
    }
    assert unpacked(archive(files)) == {"method.toml": b"m", "checks/one.py": b"c"}


@pytest.mark.parametrize(
    "path", ["../evil.py", "/etc/passwd", "a/../../evil.py", "a\\b.py", "C:evil.py", "a//b", "a\nb", "x" * 201]
)
def test_paths_that_lead_out_are_refused(path: str) -> None:
    with pytest.raises(MethodFileRefused):
        unpacked(archive({"method.toml": b"", path: b""}))
    with pytest.raises(MethodFileRefused):
        checked({"method.toml": b"", path: b""})


def test_links_are_refused() -> None:
    with pytest.raises(MethodFileRefused, match=r"train\.py"):
        unpacked(archive({"method.toml": b"", "train.py": b"/etc/passwd"}, link="train.py"))


def test_what_lies_beside_the_folder_is_refused() -> None:
    with pytest.raises(MethodFileRefused, match=r"other\.py"):
        unpacked(archive({"mine/method.toml": b"", "other.py": b""}))


def test_too_many_and_too_large_are_refused_before_they_are_kept() -> None:
    many = {"method.toml": b""} | {f"f{number}": b"" for number in range(MOST_FILES)}
    with pytest.raises(MethodFilesTooMany):
        unpacked(archive(many))
    with pytest.raises(MethodFilesTooMany):
        checked(many)
    with pytest.raises(MethodTooLarge):  # a bomb: small in the archive, large outside
        unpacked(archive({"method.toml": b"", "bomb": b"0" * (LARGEST + 1)}))


def test_an_archive_without_a_manifest_or_none_at_all() -> None:
    with pytest.raises(MethodFileMissing):
        unpacked(archive({"train.py": b""}))
    broken = archive({"method.toml": b"name" * 100})
    broken.fp.seek(40)  # type: ignore[union-attr]
    broken.fp.write(b"damage")  # type: ignore[union-attr]
    with pytest.raises(MethodArchiveUnreadable):
        unpacked(broken)


@pytest.mark.parametrize("packing", [ZIP_BZIP2, ZIP_LZMA])
def test_what_unpacks_all_at_once_is_refused_before_it_does(packing: int) -> None:
    target = io.BytesIO()
    with ZipFile(target, "w", packing) as written:  # a few hundred bytes here can be gigabytes of memory
        written.writestr("method.toml", b"small")
    with pytest.raises(MethodArchiveUnreadable):
        unpacked(ZipFile(target))
