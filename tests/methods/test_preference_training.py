"""Learning from pairs and from judged answers, on the tiny models: it learns, it resumes, it refuses."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from method_environments import method_python, write_tiny_models
from method_support import METHODS, Outcome, environment

pytestmark = pytest.mark.torch

PREFERRING = ["reward_model"]  # each learns the same pairs apart within a few steps


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_models(tmp_path_factory.mktemp("tiny"))


def job(tiny: Path, method: str, **changes: Any) -> dict[str, Any]:
    """The method's example, with other parameters; `resume` and `base` (a folder) belong to the job itself."""
    text = (METHODS / method / "example.json").read_text().replace("/tmp/tunesmith-example", str(tiny))
    content: dict[str, Any] = json.loads(text)
    content["resume"] = changes.pop("resume", None)
    content["inputs"]["base"]["path"] = str(changes.pop("base", tiny / "llama"))
    content["parameters"] |= changes
    return content


def values(outcome: Outcome) -> dict[int, dict[str, float]]:
    """What each step reported, but for the time it took."""
    return {
        one["step"]: {name: value for name, value in one["values"].items() if name != "step_seconds"}
        for one in outcome.of("metric")
    }


def weights(outcome: Outcome) -> bytes:
    (path,) = outcome.out.glob("*/adapter_model.safetensors")
    return path.read_bytes()


@pytest.mark.parametrize("method", PREFERRING)
def test_it_learns_and_goes_on_from_a_checkpoint_elsewhere_to_the_same_weights(
    tiny: Path, run: Callable[..., Outcome], tmp_path: Path, method: str
) -> None:
    whole = run(method, job(tiny, method, steps=12, checkpoint_every=8), str(method_python(method)))
    assert whole.status == 0, whole.stderr
    told = values(whole)
    assert told[12]["loss"] < told[1]["loss"]
    assert told[12]["held_out_loss"] < told[0]["held_out_loss"]
    assert told[12]["held_out_accuracy"] > told[0]["held_out_accuracy"]
    assert told[12]["held_out_margin"] > told[0]["held_out_margin"]
    assert {"rewards/accuracies", "rewards/margins"} <= told[12].keys()

    moved = shutil.copytree(whole.out / "checkpoints" / "8", tmp_path / "elsewhere")
    resumed = job(tiny, method, steps=12, checkpoint_every=8, resume=str(moved))
    rest = run(method, resumed, str(method_python(method)))
    assert rest.status == 0, rest.stderr
    assert values(rest) == {step: one for step, one in told.items() if step > 8}
    assert weights(rest) == weights(whole)


@pytest.mark.parametrize("method", PREFERRING)
def test_another_architecture_and_no_rows_to_watch(tiny: Path, run: Callable[..., Outcome], method: str) -> None:
    wanted = job(tiny, method, steps=2, held_out_rows=0, base=tiny / "gpt_neox")
    outcome = run(method, wanted, str(method_python(method)))
    assert outcome.status == 0, outcome.stderr
    assert list(values(outcome)) == [1, 2]
    (card,) = outcome.out.glob("*/model.json")
    assert json.loads(card.read_text())["architecture"] == "GPTNeoXForCausalLM"
    assert str(tiny) not in (card.parent / "adapter_config.json").read_text()


SCORED = """
import sys
from pathlib import Path
from kit import job, preferences, reward_models
tiny, learned = Path(sys.argv[1]), Path(sys.argv[2])
model = job.Model("reward", learned, job.Model("base", tiny / "llama"))
score = reward_models.scorer(model, size=5)
pairs = preferences.read_pairs(tiny / "pairs-test.jsonl", "preference", "test")
prompts = [pair.prompt for pair in pairs]
chosen, rejected = (score(prompts, [getattr(pair, name) for pair in pairs]) for name in ("chosen", "rejected"))
margins = [a - b for a, b in zip(chosen, rejected)]
print(sum(margins) / len(pairs), sum(margin > 0 for margin in margins) / len(pairs))
alone = [score([pair.prompt], [pair.chosen])[0] for pair in pairs]
print(max(abs(a - b) for a, b in zip(alone, chosen)), score([], []))
"""


def test_a_reward_model_scores_answers_as_it_did_while_it_learned(tiny: Path, run: Callable[..., Outcome]) -> None:
    learned = run("reward_model", job(tiny, "reward_model", steps=10), str(method_python("reward_model")))
    assert learned.status == 0, learned.stderr
    card = json.loads((learned.out / "reward" / "model.json").read_text())
    assert (card["form"], card["packaging_problem"]) == ("reward", "reward_not_packaged")
    last = values(learned)[10]
    command = [str(method_python("reward_model")), "-c", SCORED, str(tiny), str(learned.out / "reward")]
    done = subprocess.run(command, env=environment(), cwd=METHODS.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    found = [float(number) for number in first.split()]
    assert found == pytest.approx([last["held_out_margin"], last["held_out_accuracy"]], abs=1e-5)
    assert float(second.split()[0]) < 1e-5, "a score does not depend on what is scored beside it"


def test_a_base_that_cannot_judge_is_refused(tiny: Path, run: Callable[..., Outcome], tmp_path: Path) -> None:
    silent = shutil.copytree(tiny / "llama", tmp_path / "silent")
    (silent / "chat_template.jinja").unlink()
    python = str(method_python("reward_model"))
    assert (
        run("reward_model", job(tiny, "reward_model", base=silent), python).refusal["code"] == "chat_template_missing"
    )
    strange = shutil.copytree(tiny / "llama", tmp_path / "strange")
    config = json.loads((strange / "config.json").read_text())
    (strange / "config.json").write_text(json.dumps(config | {"model_type": "whisper", "architectures": ["Whisper"]}))
    refusal = run("reward_model", job(tiny, "reward_model", base=strange), python).refusal
    assert (refusal["code"], refusal["params"]) == ("reward_architecture_unknown", {"architecture": "Whisper"})
