"""Methods are registered by content; parameters are held against their manifest."""

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    MethodUnknown,
    ParameterLengthWrong,
    ParameterMissing,
    ParameterNotListed,
    ParameterOutOfRange,
    ParameterTypeWrong,
    ParameterUnknown,
    TunesmithError,
)
from control_plane.domain.permissions import SYSTEM
from control_plane.services import method_folders, methods
from support import FakeClock, close_database, make_control_plane

MANIFEST = """
name = "tiny"
kind = "train"
type = "SFT"
entry = "train.py"
platforms = ["cpu"]
display = { en = "Tiny", de = "Winzig", zh = "微小" }
description = { en = "Learns", de = "Lernt", zh = "学习" }
[inputs.base]
kind = "model"
forms = ["base"]
display = { en = "Base model", de = "Basismodell", zh = "基础模型" }
[parameters]
type = "object"
additionalProperties = false
required = ["reference"]
[parameters.properties.steps]
type = "integer"
default = 40
minimum = 1
maximum = 1000
title = { en = "Steps", de = "Schritte", zh = "步数" }
description = { en = "How many", de = "Wie viele", zh = "多少" }
x-group = "basics"
x-level = "guided"
[parameters.properties.precision]
type = "string"
default = "q8_0"
enum = ["q8_0", "f16"]
title = { en = "Precision", de = "Genauigkeit", zh = "精度" }
description = { en = "How exact", de = "Wie genau", zh = "精确度" }
x-group = "basics"
x-level = "standard"
[parameters.properties.reference]
type = "string"
minLength = 1
title = { en = "Reference", de = "Verweis", zh = "引用" }
description = { en = "Which", de = "Welches", zh = "哪个" }
x-group = "basics"
x-level = "guided"
[groups.basics]
display = { en = "Basics", de = "Grundlagen", zh = "基础" }
[resources]
memory_bytes = 1000
memory_per_model_byte = 2.5
disk_bytes = 10
[outputs.model]
kind = "model"
form = "adapter"
path = "adapter"
from = "base"
display = { en = "Customized model", de = "Angepasstes Modell", zh = "定制模型" }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A methods folder with the real kit's schema and one method."""
    root = tmp_path / "methods"
    (root / "kit").mkdir(parents=True)
    shutil.copy(method_folders.SHIPPED[0] / "kit" / "manifest.schema.json", root / "kit")
    (root / "tiny" / "__pycache__").mkdir(parents=True)
    (root / "tiny" / "__pycache__" / "train.pyc").write_bytes(b"cache")
    (root / "tiny" / "method.toml").write_text(MANIFEST, "utf-8")
    (root / "tiny" / "train.py").write_text("print()\n")
    (root / "tiny" / "requirements.txt").write_text("torch\n")
    return root


@pytest.fixture
def plant(tmp_path: Path, folder: Path, clock: FakeClock) -> Iterator[ControlPlane]:
    yield make_control_plane(tmp_path / "data", clock, methods=str(folder))
    close_database()


def test_registering_keeps_every_file_but_caches(plant: ControlPlane) -> None:
    assert methods.register_shipped(plant) == ["tiny"]
    record = methods.get(SYSTEM, plant, "tiny")
    paths = [file["path"] for file in record.files]
    assert paths == ["tiny/method.toml", "tiny/requirements.txt", "tiny/train.py", "kit/manifest.schema.json"]
    assert plant.blobs.path(record.files[2]["sha256"]).read_text() == "print()\n"
    assert record.requirements == "torch\n"


def test_a_version_is_its_content_and_the_kit_belongs_to_it(plant: ControlPlane, folder: Path) -> None:
    methods.register_shipped(plant)
    first = methods.get(SYSTEM, plant, "tiny")
    methods.register_shipped(plant)
    assert methods.get(SYSTEM, plant, "tiny").id == first.id
    (folder / "kit" / "job.py").write_text("# changed\n")
    methods.register_shipped(plant)
    second = methods.get(SYSTEM, plant, "tiny")
    assert second.hash != first.hash
    (folder / "kit" / "job.py").unlink()
    methods.register_shipped(plant)
    assert methods.get(SYSTEM, plant, "tiny").id == first.id
    assert len(methods.list_methods(SYSTEM, plant)) == 1


def test_a_method_whose_folder_is_gone_stays(plant: ControlPlane, folder: Path) -> None:
    methods.register_shipped(plant)
    shutil.rmtree(folder / "tiny")
    assert methods.register_shipped(plant) == []
    assert methods.get(SYSTEM, plant, "tiny").name == "tiny"
    with pytest.raises(MethodUnknown):
        methods.get(SYSTEM, plant, "other")


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('kind = "train"', 'kind = "juggle"', "juggle"),
        ('name = "tiny"', 'name = "other"', "other"),
        ('entry = "train.py"', 'entry = "gone.py"', "gone.py"),
        ('de = "Winzig", ', "", "'de'"),
        ("minimum = 1\n", 'minimum = "one"\n', "one"),
        ('from = "base"\n', "", "outputs.model"),
        ('from = "base"\n', 'from = "policy"\n', "outputs.model.from"),
        ("memory_bytes = 1000", "memory_bytes = ", "line 44"),
    ],
)
def test_a_faulty_manifest_is_named_and_does_not_stop_the_others(
    plant: ControlPlane, folder: Path, caplog: pytest.LogCaptureFixture, old: str, new: str, named: str
) -> None:
    shutil.copytree(folder / "tiny", folder / "sound")
    (folder / "sound" / "method.toml").write_text(MANIFEST.replace('"tiny"', '"sound"'), "utf-8")
    (folder / "tiny" / "method.toml").write_text(MANIFEST.replace(old, new, 1), "utf-8")
    with caplog.at_level(logging.ERROR):
        assert methods.register_shipped(plant) == ["sound"]
    assert any(part in caplog.text for part in named.split("|")) and "“tiny”" in caplog.text


def test_manifest_in_the_readers_language(plant: ControlPlane) -> None:
    methods.register_shipped(plant)
    record = methods.get(SYSTEM, plant, "tiny")
    german = methods.manifest(record, "de")
    assert (german.display, german.inputs["base"].display, german.groups["basics"]) == (
        "Winzig",
        "Basismodell",
        "Grundlagen",
    )
    assert german.parameters["properties"]["steps"]["title"] == "Schritte"
    assert methods.manifest(record).outputs["model"].form == "adapter"
    assert methods.manifest(record).memory_estimate(100) == 1250


def test_parameters_are_completed(plant: ControlPlane) -> None:
    methods.register_shipped(plant)
    manifest = methods.manifest(methods.get(SYSTEM, plant, "tiny"))
    complete = methods.check_parameters(manifest, {"reference": "x", "steps": 3})
    assert complete == {"reference": "x", "steps": 3, "precision": "q8_0"}


@pytest.mark.parametrize(
    ("parameters", "kind", "words"),
    [
        ({"reference": "x", "step": 3}, ParameterUnknown, "“step”"),
        ({}, ParameterMissing, "“reference”"),
        ({"reference": "x", "steps": 0}, ParameterOutOfRange, "≥ 1, ≤ 1000"),
        ({"reference": "x", "steps": 1001}, ParameterOutOfRange, "1001"),
        ({"reference": "x", "steps": "many"}, ParameterTypeWrong, "integer"),
        ({"reference": "x", "precision": "q2"}, ParameterNotListed, "q8_0"),
        ({"reference": ""}, ParameterLengthWrong, "takes ≥ 1 characters"),
    ],
)
def test_wrong_parameters_are_named(
    plant: ControlPlane, parameters: dict[str, Any], kind: type[TunesmithError], words: str
) -> None:
    methods.register_shipped(plant)
    manifest = methods.manifest(methods.get(SYSTEM, plant, "tiny"))
    with pytest.raises(kind) as caught:
        methods.check_parameters(manifest, parameters)
    assert words in str(caught.value)
