"""What a method brings in its folder: checks by their file's name, listeners whose numbers join a step's."""

import json
import re
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from kit import own
from kit.events import Events, Refusal
from kit.judging import Judged

from place import ROOT


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the method that runs."""
    monkeypatch.setitem(sys.modules, "__main__", SimpleNamespace(__file__=str(tmp_path / "train.py")))
    (tmp_path / "listeners").mkdir()
    (tmp_path / "checks").mkdir()
    return tmp_path


def told(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "events.jsonl").read_text("utf-8").splitlines()]


def test_a_listeners_numbers_join_the_metric_and_never_replace_it(folder: Path, capsys: pytest.CaptureFixture) -> None:
    (folder / "listeners" / "twice.py").write_text(
        "def on_event(event):\n"
        "    if event['kind'] == 'metric':\n"
        "        return {'twice': event['values']['loss'] * 2, 'loss': 99.0, 'never': float('nan')}\n"
    )
    (folder / "listeners" / "broken.py").write_text("def on_event(event):\n    raise ValueError('no idea')\n")
    events = Events(folder)
    events.metric(1, {"loss": 0.5})
    events.progress(1, 2, "training")
    events.metric(2, {"loss": 0.25})
    assert [one["values"] for one in told(folder) if one["kind"] == "metric"] == [
        {"twice": 1.0, "loss": 0.5},
        {"twice": 0.5, "loss": 0.25},
    ]
    said = capsys.readouterr().err
    assert said.count("listeners/broken.py is left out: ValueError: no idea") == 1


def test_a_methods_own_check_is_found_by_its_files_name(folder: Path) -> None:
    (folder / "checks" / "shouts.py").write_text(
        "from kit.checking import Found\n"
        "def make(least=1):\n"
        "    return lambda answer, case: Found(float(answer.count('!') >= least), 'found')\n"
    )
    judged = Judged([{"check": "shouts", "weight": 1.0, "parameters": {"least": 2}}])
    assert [judged.judge(answer, None).total for answer in ("no!", "yes!!")] == [0.0, 1.0]
    with pytest.raises(Refusal):
        Judged([{"check": "whispers", "weight": 1.0}])


def test_without_a_script_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "__main__", SimpleNamespace())
    assert own.folder() is None and own.checks() == {}


def test_the_documents_example_shows_short_answers_first() -> None:
    """What docs/developers/own-methods.md changes in custom01 is there to be changed, and does what it says."""
    text = (ROOT / "docs" / "developers" / "own-methods.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    script = (ROOT / "methods" / "custom01" / "train.py").read_text("utf-8")
    read, changed, handed = (next(one for one in blocks if word in one) for word in (".sort(", "def batch", "seen ="))
    assert read.splitlines()[0] in script and "loss = loss_of(model, batch(examples, step" in script
    names = runpy.run_path(str(ROOT / "methods" / "custom01" / "train.py"))
    exec(changed, names)  # our own document
    examples = [{"input_ids": [number] * 9, "completion_mask": [1] * number} for number in (3, 1, 4, 2)]
    exec(read.splitlines()[1].strip(), {"examples": examples})
    passes = [[sum(one["completion_mask"]) for one in names["batch"](examples, step, 4, 7, 2)] for step in (1, 2, 3)]
    assert passes[:2] == [[1, 2, 3, 4]] * 2 and passes[2] != [1, 2, 3, 4] and sorted(passes[2]) == [1, 2, 3, 4]
    assert 'chosen["warmup_passes"]' in handed and "[parameters.properties.warmup_passes]" in text
