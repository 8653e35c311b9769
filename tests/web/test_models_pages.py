"""Models in the browser: the card, and the lineage in both directions."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
import rooms
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.services import models
from control_plane.services.datasets import json_lines
from control_plane.store.database import database
from control_plane.store.models import ModelRecord

Browser = Callable[[str], FlaskClient]


@pytest.fixture
def room(cp: ControlPlane, invite: Callable[..., str]) -> rooms.Rooms:
    invite("ada", role="Expert")
    return rooms.furnished(cp)


def test_a_card_says_what_it_may_be_used_for_and_where_it_is_from(room: rooms.Rooms, browser: Browser) -> None:
    made = room.made
    page = browser("ada").get(f"/p/lab/models/{made['adapter']}").text
    model = models.get(room.actor, room.cp, made["adapter"])
    for words in ("apache-2.0", "LlamaForCausalLM", "135M", model.hash, "sft_demo", "seed 42", "faults v2"):
        assert words in page
    links = [
        "data/faults?version=2", f"models/{made['base']}", f"jobs/{made['train']}/config", f"models/{made['gguf']}",
        f"evaluations/{made['evaluation']}", f"deployments/{made['deployment']}",
    ]  # fmt: skip
    for link in links:
        assert f'href="/p/lab/{link}"' in page
    assert 'class="rail-stop rail-done"' in page
    assert "rail-next" not in page  # all five stops are behind it


def test_a_packaged_model_is_traced_to_its_training(room: rooms.Rooms, browser: Browser) -> None:
    made = room.made
    page = browser("ada").get(f"/p/lab/models/{made['gguf']}").text
    assert f'href="/p/lab/models/{made["adapter"]}"' in page
    assert f'href="/p/lab/jobs/{made["train"]}/config"' in page
    assert f'href="/p/lab/deployments/new?model={made["gguf"]}"' in page


def test_a_fresh_model_is_offered_its_test_first(room: rooms.Rooms, browser: Browser) -> None:
    model = room.finish_model(room.latest(room.made["running"]), "adapter")
    page = browser("ada").get(f"/p/lab/models/{model}").text
    rail = page[page.index('class="rail"') : page.index("</ol>", page.index('class="rail"'))]
    assert rail.count("rail-next") == 1
    assert f'class="rail-link" href="/p/lab/jobs/new?kind=evaluate&amp;model={model}"' in rail


def test_base_models_have_their_own_list(room: rooms.Rooms, browser: Browser) -> None:
    client = browser("ada")
    assert "small-base" in client.get("/p/lab/base-models").text
    made = client.get("/p/lab/models").text
    assert f'/p/lab/models/{room.made["adapter"]}"' in made
    assert f'/p/lab/models/{room.made["base"]}"' not in made
    assert f'/p/lab/models/{room.made["adapter"]}"' not in client.get("/p/lab/models?form=gguf").text


def test_many_models_are_shown_by_the_page_in_few_statements(
    room: rooms.Rooms, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {name: value for name, value in models.get(room.actor, room.cp, room.made["adapter"]).__data__.items()}
    newest = [ModelRecord.create(**{**row, "id": None}).id for _ in range(60)][-1]
    client = browser("ada")
    client.get("/p/lab/models")
    statements, execute = [], database.obj.execute_sql
    monkeypatch.setattr(database.obj, "execute_sql", lambda sql, *given: statements.append(sql) or execute(sql, *given))
    page = client.get("/p/lab/models").text
    assert len(statements) <= 15, statements
    assert page.count('<th scope="row">') == 25 and f'/p/lab/models/{newest}"' in page
    assert f'/p/lab/models/{room.made["adapter"]}"' not in page and "small-base" in page
    assert f'/p/lab/models/{room.made["adapter"]}"' in client.get("/p/lab/models?page=3").text


def test_another_projects_model_is_not_found(room: rooms.Rooms, browser: Browser, invite: Callable[..., str]) -> None:
    stranger = browser(invite("eve", role="Owner", project="elsewhere"))
    assert stranger.get(f"/p/elsewhere/models/{room.made['adapter']}").status_code == 404
    assert stranger.get(f"/p/lab/models/{room.made['adapter']}").status_code == 404


def odd(room: rooms.Rooms, **facts: object) -> int:
    """A base model of which the import knew that it cannot be packaged; its id."""
    job = room.submit("import_base_model", "odd", {}, reference="odd")
    return room.finish_model(room.run(job, 0), "base", architecture="OPTForCausalLM", **facts)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("architecture_not_packaged", "llama.cpp does not know the architecture OPTForCausalLM."),
        ("vocabulary_not_packaged", "This model has no file tokenizer.model"),
    ],
)
def test_what_cannot_be_packaged_is_said_before_it_is_trained(
    cp: ControlPlane, browser: Browser, invite: Callable[..., str], code: str, said: str
) -> None:
    invite("ada", role="Expert")
    room = rooms.with_base(cp)
    usual, strange = room.made["base"], odd(room, packaging_problem=code)
    client = browser("ada")
    assert said in client.get(f"/p/lab/models/{strange}").text
    assert said not in client.get(f"/p/lab/models/{usual}").text
    assert said in client.get(f"/p/lab/jobs/new?kind=train&base={strange}").text
    assert said in client.get(f"/p/lab/jobs/new?kind=export&model={strange}").text
    assert said not in client.get(f"/p/lab/jobs/new?kind=evaluate&model={strange}").text
    form = {"method": "sft_demo", "input.base": str(usual)}
    assert said not in client.post("/p/lab/jobs/plan", data=form).text
    assert said in client.post("/p/lab/jobs/plan", data=form | {"input.base": str(strange)}).text


def test_a_reward_model_is_a_judge_and_nothing_else(
    cp: ControlPlane, browser: Browser, invite: Callable[..., str]
) -> None:
    invite("ada", role="Expert")
    room = rooms.with_base(cp)
    made = room.made
    pairs = b'{"prompt": "a", "chosen": "b", "rejected": "c"}\n{"prompt": "d", "chosen": "e", "rejected": "f"}\n'
    version, _ = json_lines.upload(room.actor, cp, "lab", "pairs", BytesIO(pairs), None)
    job = room.submit("reward_model", "judge", {"base": made["base"], "dataset": version.id})
    judge = room.finish_model(room.run(job), "reward", packaging_problem="reward_not_packaged")
    client = browser("ada")
    page = client.get(f"/p/lab/models/{judge}").text
    assert "it scores answers and writes none" in page
    assert "kind=export" not in page and "kind=evaluate" not in page and "rail-next" not in page
    assert f"/p/lab/models/{judge}" in client.get("/p/lab/models?form=reward").text
    assert "A training can take it as its judge." in client.get(f"/p/lab/jobs/{job.id}").text


def test_a_learned_prompt_is_not_offered_for_packaging_and_refused(room: rooms.Rooms, browser: Browser) -> None:
    client, number = browser("ada"), room.made["adapter"]
    place = f"kind=export&amp;model={number}"
    assert place in client.get(f"/p/lab/models/{number}").text
    made = models.get(room.actor, room.cp, number)
    made.card = made.card | {"packaging_problem": "adapter_not_mergeable"}
    made.save()
    page = client.get(f"/p/lab/models/{number}").text
    assert "learned prompt" in page and place not in page
    sent = {"method": "export_gguf", "name": "x", "input.model": str(number), "key": "k"}
    assert "has no weights to merge" in client.post("/p/lab/jobs/new", data=sent).text


def test_a_value_says_before_the_run_what_it_has_as_a_consequence(
    cp: ControlPlane, browser: Browser, invite: Callable[..., str]
) -> None:
    invite("ada", role="Expert")
    rooms.with_base(cp)
    client = browser("ada")
    form = {"method": "peft", "parameter.adapter": "lora"}
    assert "packaged or deployed" not in client.post("/p/lab/jobs/plan", data=form).text
    assert "packaged or deployed" in client.post("/p/lab/jobs/plan", data=form | {"parameter.adapter": "prompt"}).text
    said = client.post(
        "/p/lab/jobs/plan", data=form | {"parameter.adapter": "qlora"}, headers={"Accept-Language": "de"}
    )
    assert "NVIDIA-GPU" in said.text


def test_another_projects_model_says_nothing_in_a_plan(
    cp: ControlPlane, browser: Browser, invite: Callable[..., str]
) -> None:
    strange = odd(rooms.with_base(cp), packaging_problem="architecture_not_packaged")
    stranger = browser(invite("eve", role="Owner", project="elsewhere"))
    answer = stranger.post("/p/elsewhere/jobs/plan", data={"method": "sft_demo", "input.base": str(strange)})
    assert answer.status_code == 200
    assert "OPTForCausalLM" not in answer.text
