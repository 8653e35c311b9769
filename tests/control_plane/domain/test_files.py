"""Which files may leave a machine."""

import pytest

from control_plane.domain import files
from control_plane.domain.errors import FieldInvalid, FileTypeRefused, PathRefused
from control_plane.domain.files import CHUNK, File

HASH = "a" * 64


def file(path: str, size: int = 5, chunks: int = 1) -> File:
    return File(path, size, HASH, (HASH,) * chunks)


@pytest.mark.parametrize(
    "path",
    [
        "model.safetensors",
        "a/b/c.json",
        "LICENSE",
        "chat_template.jinja",
        "tokenizer.model",
        "x.Q8_0.gguf",
        "größe.txt",
    ],
)
def test_allowed(path: str) -> None:
    files.check([file(path)])


@pytest.mark.parametrize(
    "path",
    [
        "../a.json", "a/../b.json", "/a.json", "a//b.json", "./a.json", "a\\b.json", "a\0.json", "a\n.json", "",
        "C:/a.json", "x" * 200 + ".json", "a /b.json", "\u202egnp.json", "a/\ud800.json",
    ],
)  # fmt: skip
def test_refused_paths(path: str) -> None:
    with pytest.raises(PathRefused):
        files.check([file(path)])


@pytest.mark.parametrize(
    "path", ["pytorch_model.bin", "a.pt", "a.pkl", "modeling.py", "a.json.exe", "a", "a.so", ".json"]
)
def test_refused_types(path: str) -> None:
    with pytest.raises(FileTypeRefused):
        files.check([file(path)])


@pytest.mark.parametrize(
    ("one", "other"),
    [("a.json", "a.json"), ("a.json", "A.JSON"), ("e\u0301.txt", "\u00e9.txt"), ("a.json", "a.json/b.json")],
)
def test_names_that_clash(one: str, other: str) -> None:
    with pytest.raises(PathRefused):
        files.check([file(one), file(other)])


def test_sizes_must_fit_the_chunks() -> None:
    files.check([file("a.json", CHUNK + 1, 2), file("b.json", 0, 0)])
    for wrong in (file("a.json", CHUNK + 1, 1), file("a.json", -1, 0), file("a.json", 0, 1)):
        with pytest.raises(FieldInvalid):
            files.check([wrong])
    with pytest.raises(FieldInvalid):
        files.check([File("a.json", 5, "A" * 64, (HASH,))])
