"""Jobs in the browser: the form of any method, what will run, and a job's page in each of its states."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import rooms
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.services import jobs
from control_plane.services.fleet import events
from control_plane.store.jobs import AttemptRecord, JobRecord
from control_plane.store.methods import MethodVersionRecord
from fleet_support import report
from web_forms import filled, plain

Browser = Callable[[str], FlaskClient]


@pytest.fixture
def room(cp: ControlPlane, invite: Callable[..., str]) -> rooms.Rooms:
    invite("ada", role="Expert")
    return rooms.with_base(cp)


@pytest.fixture
def client(room: rooms.Rooms, browser: Browser) -> FlaskClient:
    return browser("ada")


def test_an_untouched_form_starts_the_job_with_its_defaults(client: FlaskClient, room: rooms.Rooms) -> None:
    page = client.get(f"/p/lab/jobs/new?kind=train&dataset={room.made['version']}").text
    answer = client.post("/p/lab/jobs/new", data=filled(page))
    job = JobRecord.select().order_by(JobRecord.id.desc()).get()
    assert answer.location.endswith(f"/p/lab/jobs/{job.id}")
    assert {name: pin["id"] for name, pin in job.inputs.items()} == {
        "base": room.made["base"],
        "dataset": room.made["version"],
    }
    assert job.parameters["learning_rate"] == 0.001
    assert job.seed == 42


def test_pressed_twice_it_starts_once(client: FlaskClient, room: rooms.Rooms) -> None:
    form = filled(client.get("/p/lab/jobs/new?method=sft_demo").text)
    form["input.dataset"] = str(room.made["version"])
    first, second = (client.post("/p/lab/jobs/new", data=form) for _ in range(2))
    assert first.location == second.location


@pytest.mark.parametrize(
    ("sent", "control", "words"),
    [
        ({"parameter.steps": "0"}, "parameter.steps", "it must be ≥ 1, ≤ 100000"),
        ({"parameter.learning_rate": "ten"}, "parameter.learning_rate", "Enter a number, such as 0.001."),
        ({"input.dataset": ""}, "input.dataset", "The input “dataset” is missing."),
        ({"name": "Not Allowed"}, "name", "is not a valid name"),
        ({"seed": "x"}, "seed", "Enter a whole number."),
    ],
)
def test_an_error_stands_at_its_field(
    client: FlaskClient, room: rooms.Rooms, sent: dict[str, str], control: str, words: str
) -> None:
    form = filled(client.get(f"/p/lab/jobs/new?kind=train&dataset={room.made['version']}").text)
    answer = client.post("/p/lab/jobs/new", data=form | sent)
    assert answer.status_code == 400
    problem = answer.text[answer.text.index(f'id="{control}-error"') :]
    assert words in html.unescape(problem[:600])
    value = html.escape(next(iter(sent.values())))
    assert not value or f'value="{value}"' in answer.text  # what was typed is still there


def test_a_german_form_shows_and_takes_a_decimal_comma(client: FlaskClient, room: rooms.Rooms) -> None:
    page = client.get(f"/p/lab/jobs/new?kind=train&dataset={room.made['version']}&lang=de").text
    sent = filled(page)
    assert sent["parameter.learning_rate"] == "0,001"
    for text, value in (("0,002", 0.002), ("0.003", 0.003)):
        client.post("/p/lab/jobs/new", data=sent | {"parameter.learning_rate": text, "key": text})
        assert JobRecord.select().order_by(JobRecord.id.desc()).get().parameters["learning_rate"] == value


def test_what_is_asked_of_the_scheduler_is_kept_shown_and_cloned(client: FlaskClient, room: rooms.Rooms) -> None:
    sent = filled(client.get(f"/p/lab/jobs/new?kind=train&dataset={room.made['version']}").text)
    asked = {"priority": "7", "time_limit": "1.5", "lost_after": "10", "not_before": "2", "give_up": "true"}
    sent |= {f"policy.{name}": text for name, text in asked.items()}
    planned = client.post("/p/lab/jobs/plan", data=sent).text
    assert "--policy priority=7" in html.unescape(planned)
    job_id = int(client.post("/p/lab/jobs/new", data=sent).location.rpartition("/")[2])
    job = JobRecord.get_by_id(job_id)
    assert (job.priority, job.time_limit, job.lost_after, job.when_lost) == (7, 5400, 600, "fail")
    assert job.not_before == pytest.approx(room.cp.clock() + 7200, abs=1)
    shown = plain(client.get(f"/p/lab/jobs/{job_id}").text)
    for words in ("Priority 7", "may run 1 hr 30 min", "lost after 10 min", "It fails", "in 2 hours"):
        assert words in shown
    again = client.get(f"/p/lab/jobs/new?from={job_id}").text
    cloned = filled(again)
    assert {name: cloned[f"policy.{name}"] for name in asked} == asked | {"not_before": ""}
    assert "Nothing yet: it would do the same again." in plain(again)
    changed = client.post("/p/lab/jobs/plan", data=cloned | {"from": str(job_id), "policy.priority": "8"}).text
    assert "policy.priority 7 8" in plain(changed)


@pytest.mark.parametrize(
    ("field", "text"),
    [("time_limit", "soon"), ("time_limit", "0"), ("priority", "101"), ("lost_after", "0.1"), ("not_before", "1e306")],
)
def test_a_wrong_wish_is_marked_at_its_field(client: FlaskClient, room: rooms.Rooms, field: str, text: str) -> None:
    sent = filled(client.get(f"/p/lab/jobs/new?kind=train&dataset={room.made['version']}").text)
    answer = client.post("/p/lab/jobs/new", data=sent | {f"policy.{field}": text})
    assert answer.status_code == 400
    assert f'id="policy.{field}-error"' in answer.text
    assert filled(answer.text)[f"policy.{field}"] == text


def test_an_evaluation_of_a_model_needs_no_choice(client: FlaskClient, room: rooms.Rooms) -> None:
    adapter = room.finish_model(room.run(room.train("tuned")), "adapter")
    form = filled(client.get(f"/p/lab/evaluations/new?model={adapter}", follow_redirects=True).text)
    chosen = [form[f"input.{name}"] for name in ("candidate", "baseline", "dataset")]
    assert chosen == [str(adapter), str(room.made["base"]), str(room.made["version"])]


def test_presets_fill_the_form_and_are_chosen_as_long_as_it_holds_their_values(
    client: FlaskClient, room: rooms.Rooms
) -> None:
    def chosen(page: str) -> list[str]:
        inputs = re.findall(r'<input type="radio" name="preset" value="(\w+)"[^>]*?( checked)?>', page)
        assert [name for name, _ in inputs] == ["quick", "balanced", "thorough"]
        return [name for name, mark in inputs if mark]

    page = client.get("/p/lab/jobs/new?method=sft_demo").text
    assert chosen(page) == ["balanced"]
    values = json.loads(html.unescape(re.findall(r'value="quick" data-preset="([^"]*)"', page)[0]))
    assert values["parameter.steps"] == "15" and set(values) <= set(filled(page))
    quick = filled(page) | values | {"name": "Not Allowed"}
    assert chosen(client.post("/p/lab/jobs/new", data=quick).text) == ["quick"]
    assert chosen(client.post("/p/lab/jobs/new", data=quick | {"parameter.steps": "16"}).text) == []
    assert 'name="preset"' not in client.get("/p/lab/jobs/new?method=evaluate").text


def test_only_what_fits_is_offered(client: FlaskClient, room: rooms.Rooms) -> None:
    adapter = room.finish_model(room.run(room.train("tuned")), "adapter")
    page = client.get("/p/lab/jobs/new?method=sft_demo").text
    assert f"#{adapter}<" not in page[page.index('id="input.base"') : page.index("</select>")]


def test_a_form_says_that_it_lists_the_newest_models_only_and_keeps_the_one_that_was_chosen(
    client: FlaskClient, room: rooms.Rooms
) -> None:
    adapter = room.finish_model(room.run(room.train("tuned")), "adapter")
    rooms.newer_models(adapter, 498)  # the base model can be packaged, too
    address = f"/p/lab/jobs/new?method=export_gguf&model={adapter}"
    assert "are listed" not in client.get(address).text
    rooms.newer_models(adapter, 2)
    page = client.get(address).text
    assert "The newest 500 of 502 are listed." in page and filled(page)["input.model"] == str(adapter)
    again = client.post("/p/lab/jobs/new", data=filled(page) | {"name": "Not Allowed"})
    assert again.status_code == 400 and filled(again.text)["input.model"] == str(adapter)
    assert client.get("/p/lab/jobs/new?method=export_gguf&model=1000000").status_code == 404
    base = client.get("/p/lab/jobs/new?method=sft_demo").text  # of another form: no newer model hides it
    assert "are listed" not in base and filled(base)["input.base"] == str(room.made["base"])
    form = filled(client.get(f"/p/lab/evaluations/new?model={adapter}", follow_redirects=True).text)
    assert (form["input.candidate"], form["input.baseline"]) == (str(adapter), str(room.made["base"]))


def test_run_again_keeps_an_input_that_is_older_than_what_is_listed(client: FlaskClient, room: rooms.Rooms) -> None:
    adapter = room.finish_model(room.run(room.train("tuned")), "adapter")
    job = room.submit("export_gguf", "packed", {"model": adapter})
    rooms.newer_models(adapter, 500)
    assert filled(client.get(f"/p/lab/jobs/new?from={job.id}").text)["input.model"] == str(adapter)


def test_run_again_shows_only_the_change(client: FlaskClient, room: rooms.Rooms) -> None:
    job = room.train("tuned")
    form = filled(client.get(f"/p/lab/jobs/new?from={job.id}").text)
    assert form["parameter.steps"] == str(rooms.STEPS)
    unchanged = plain(client.post("/p/lab/jobs/plan", data=form).text)
    assert "it would do the same again" in unchanged
    changed = plain(client.post("/p/lab/jobs/plan", data=form | {"parameter.steps": "80"}).text)
    assert "parameters.steps 40 80" in changed
    assert "--parameter steps=80" in changed


def test_the_form_of_an_import_names_what_is_missing(client: FlaskClient, room: rooms.Rooms) -> None:
    form = filled(client.get("/p/lab/jobs/new?kind=import").text)
    answer = client.post("/p/lab/jobs/new", data=form)
    assert answer.status_code == 400
    assert 'id="parameter.reference-error"' in answer.text


def test_a_waiting_job_says_why(client: FlaskClient, room: rooms.Rooms) -> None:
    room.run(room.train("first"), 3)
    second = room.train("second")
    room.take_nothing()
    page = plain(client.get(f"/p/lab/jobs/{second.id}").text)
    assert "It waits for a machine." in page
    assert "All devices that fit are busy" in page


def test_a_running_job_says_how_long_it_takes(client: FlaskClient, room: rooms.Rooms) -> None:
    job = room.train("tuned")
    room.run(job, 10)
    page = plain(client.get(f"/p/lab/jobs/{job.id}").text)
    assert "Learning · step 10 of 40" in page
    assert "about 2 min left" in page.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


def test_a_failed_job_says_why_with_its_last_lines(client: FlaskClient, room: rooms.Rooms) -> None:
    job = room.train("tuned")
    room.fail(room.run(job, 2), "Traceback\nMemoryError: no room\n")
    page = client.get(f"/p/lab/jobs/{job.id}").text
    assert "The method&#39;s program ended with status 1." in page
    assert "Its last lines" not in page
    assert "MemoryError: no room" in page
    assert f'href="/p/lab/jobs/{job.id}/logs"' in page
    german = client.get(f"/p/lab/jobs/{job.id}?lang=de").text
    assert "MemoryError: no room" in german


def test_a_job_says_how_long_it_may_run_and_when_that_was_why_it_failed(client: FlaskClient, room: rooms.Rooms) -> None:
    asked = room.submit("import_base_model", "small", {}, reference="small")
    assert "Longest time it may run" in client.get(f"/p/lab/jobs/{asked.id}").text
    attempt = room.run(asked, 0)
    report(room.machine, room.cp, attempt, "FAILED", reason="time_limit", params={"allowed": 1800.0, "lines": "page 7"})
    page = client.get(f"/p/lab/jobs/{asked.id}").text
    assert "It ran longer than the 30 min that it was allowed" in page
    assert "page 7" in page
    job = room.train("slow")
    assert "Longest time it may run" not in client.get(f"/p/lab/jobs/{job.id}").text


def test_a_refusal_of_a_method_is_said(client: FlaskClient, room: rooms.Rooms) -> None:
    job = room.train("tuned")
    attempt = room.take(job)
    report(room.machine, room.cp, attempt, "RUNNING", environment_lock="x")
    report(room.machine, room.cp, attempt, "FAILED", reason="method_refused", params={"text": "no tokenizer"})
    assert "The method refused its input: no tokenizer" in client.get(f"/p/lab/jobs/{job.id}").text


def test_a_warning_of_a_method_is_said_in_the_readers_language(client: FlaskClient, room: rooms.Rooms) -> None:
    job = room.train("tuned")
    attempt = room.take(job)
    method = MethodVersionRecord.get_by_id(job.method_version_id)
    method.manifest = method.manifest | {"messages": {"hot": {"de": "Zu heiß: {parts}", "zh": "太热"}}}
    method.save()
    lines = [
        {"kind": "message", "code": "hot", "text": "Too hot: a, b", "params": {"parts": ["a", "b"]}},
        {"kind": "message", "code": "odd", "text": "Odd", "params": ["no", "object"]},
        {"kind": "checkpoint", "step": 1, "path": "checkpoints/1"},
    ]
    told = [(number, json.dumps(line | {"time": 1.0})) for number, line in enumerate(lines, 1)]
    events.append(room.machine, room.cp, attempt.id, attempt.fence, told)
    page = client.get(f"/p/lab/jobs/{job.id}/events?lang=de").text
    assert all(said in page for said in ("Zu heiß: a, b", "Odd", "checkpoints/1"))
    assert "Too hot: a, b" in client.get(f"/p/lab/jobs/{job.id}/events?lang=en").text


def test_what_a_model_answers_on_the_way_stands_on_its_page(client: FlaskClient, room: rooms.Rooms) -> None:
    job = room.train("tuned")
    attempt = room.run(job, 10)
    assert "What it answers on the way" not in client.get(f"/p/lab/jobs/{job.id}").text
    steps = [(0, "?"), (10, "{<b>}"), (10, "again, after a restart")]
    bodies: list[dict[str, Any]] = [
        {"code": "sample_answer", "params": {"step": step, "question": "A door.", "answer": answer}}
        for step, answer in steps
    ]
    bodies += [{"code": "sample_answer", "params": ["odd"]}, {"code": "sample_answer", "params": {"step": "x"}}]
    told = [
        (number, json.dumps({"kind": "message", "text": "…", "time": 1.0, **body}))
        for number, body in enumerate(bodies, AttemptRecord.get_by_id(attempt.id).event_sequence + 1)
    ]
    events.append(room.machine, room.cp, attempt.id, attempt.fence, told)
    page = client.get(f"/p/lab/jobs/{job.id}").text
    assert plain(page[page.index('id="samples"') :]).split("What it answers on the way", 1)[1].split()[:6] == [
        "A", "door.", "Step", "10", "again,", "after"]  # fmt: skip
    assert "<b>" not in page


def test_each_job_that_succeeded_leads_on(cp: ControlPlane, browser: Browser, invite: Callable[..., str]) -> None:
    made = rooms.furnished(cp).made
    client = browser(invite("ada", role="Expert"))
    leads = {
        "import": f"/p/lab/jobs/new?kind=train&base={made['base']}",
        "train": f"/p/lab/evaluations/{made['evaluation']}",
        "evaluate": f"/p/lab/evaluations/{made['evaluation']}",
        "export": f"/p/lab/deployments/{made['deployment']}",
        "failed": f"/p/lab/jobs/new?from={made['failed']}",
    }
    for job, address in leads.items():
        page = client.get(f"/p/lab/jobs/{made[job]}").text
        step = page[page.index("next-step") :]
        assert html.unescape(re.search(r'class="button primary" href="([^"]+)"', step)[1]) == address


def test_the_status_costs_nothing_while_nothing_changes(client: FlaskClient, room: rooms.Rooms) -> None:
    job = room.train("tuned")
    address = f"/p/lab/jobs/{job.id}/status"
    first = client.get(address)
    assert client.get(address, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    room.run(job, 1)
    assert client.get(address, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_curves_come_from_a_cursor_on(client: FlaskClient, room: rooms.Rooms) -> None:
    job = room.train("tuned")
    room.run(job, 5)
    first = client.get(f"/p/lab/jobs/{job.id}/series").json
    assert [one["name"] for one in first["series"]] == ["loss"]
    assert len(first["series"][0]["points"]) == 5
    assert client.get(f"/p/lab/jobs/{job.id}/series?after={first['cursor']}").json["series"] == []
    assert [one["name"] for one in client.get(f"/p/lab/jobs/{job.id}/series?other=1").json["series"]] == [
        "learning_rate"
    ]


def test_a_job_is_cancelled_once(client: FlaskClient, room: rooms.Rooms) -> None:
    job = room.train("tuned")
    assert client.post(f"/p/lab/jobs/{job.id}/cancel").location.endswith(f"/p/lab/jobs/{job.id}")
    assert JobRecord.get_by_id(job.id).state == "CANCELLED"
    page = client.post(f"/p/lab/jobs/{job.id}/cancel", follow_redirects=True)
    assert page.status_code == 200
    assert "The job has ended already" in page.text


LOG = b"".join(b"line %d\n" % number for number in range(1, 301))


@pytest.mark.parametrize(
    ("query", "start", "line", "data"),
    [
        ("offset=0&limit=14", 0, 1, LOG[:14]),
        ("offset=7&limit=7", 7, 2, LOG[7:14]),
        ("offset=-9", len(LOG) - 9, 300, b"line 300\n"),
        ("offset=-999999", 0, 1, LOG),
        ("offset=999999", len(LOG), 301, b""),
        ("offset=bad", 0, 1, LOG),
        ("line=300", len(LOG) - 9, 300, b"line 300\n"),
        ("line=1&limit=7", 0, 1, b"line 1\n"),
        ("line=9999", len(LOG), 301, b""),
    ],
)
def test_log_bytes(client: FlaskClient, room: rooms.Rooms, query: str, start: int, line: int, data: bytes) -> None:
    job = room.train("tuned")
    room.write(room.take(job), LOG)
    answer = client.get(f"/p/lab/jobs/{job.id}/log/0/stdout?{query}")
    told = [int(answer.headers[name]) for name in ("X-Log-Start", "X-Log-Line", "X-Log-Size")]
    assert told == [start, line, len(LOG)]
    assert answer.data == data
    assert "X-Log-Sealed" not in answer.headers


def test_a_stream_that_does_not_exist_is_not_found(client: FlaskClient, room: rooms.Rooms) -> None:
    job = room.train("tuned")
    room.take(job)
    assert client.get(f"/p/lab/jobs/{job.id}/log/0/..%2Fstdout").status_code == 404
    assert client.get(f"/p/lab/jobs/{job.id}/log/0/passwords").status_code == 404
    assert client.get(f"/p/lab/jobs/{job.id}/log/99/stdout").status_code == 404


def test_files_are_downloaded_and_only_those(client: FlaskClient, room: rooms.Rooms) -> None:
    job = JobRecord.get_by_id(room.made["import"])
    artifact = jobs.files(room.actor, room.cp, job.id)[0]
    address = f"/p/lab/jobs/{job.id}/files/{artifact.id}"
    answer = client.get(f"{address}/model.json")
    assert json.loads(answer.data)["architecture"] == "LlamaForCausalLM"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert client.get(f"{address}/..%2Fmodel.json").status_code == 404
    assert client.get(f"{address}/missing.json").status_code == 404


def test_the_configuration_pins_everything(client: FlaskClient, room: rooms.Rooms) -> None:
    job = room.train("tuned")
    room.run(job, 1)
    page = client.get(f"/p/lab/jobs/{job.id}/config").text
    lock = AttemptRecord.get(AttemptRecord.job == job.id).environment_lock_hash
    assert all(pin["hash"] in page for pin in job.inputs.values())
    assert lock
    assert lock in page
    assert "trl==0.24.0" in page


def test_the_list_is_in_its_address(client: FlaskClient, room: rooms.Rooms) -> None:
    room.fail(room.run(room.train("broken"), 1), "no\n")
    for number in range(30):
        room.train(f"job-{number:02}")
    names = lambda query: re.findall(r"/p/lab/jobs/\d+\">([^<]+)</a>", client.get(f"/p/lab/jobs{query}").text)  # noqa: E731
    assert names("?status=failed") == ["broken"]
    assert names("?method=import_base_model") == ["small-base"]
    assert len(names("?method=sft_demo")) == 25
    assert names("?method=sft_demo&page=2&sort=name")[-1] == "job-29"
    assert names("?method=sft_demo&page=99&sort=name")[-1] == "job-29"
    assert names("?status=no-such") == []


@pytest.mark.parametrize("number", ["0", "-1", "999999", "9" * 30, "1e3", "x"])
def test_a_job_that_does_not_exist_is_not_found(client: FlaskClient, room: rooms.Rooms, number: str) -> None:
    assert client.get(f"/p/lab/jobs/{number}").status_code == 404
    assert client.get(f"/p/lab/jobs?page={number}").status_code == 200
    assert client.get(f"/p/lab/jobs/{room.made['import']}/series?after={number}").status_code == 200


def test_another_projects_job_is_not_found(
    client: FlaskClient, room: rooms.Rooms, browser: Browser, invite: Callable[..., str]
) -> None:
    stranger = browser(invite("eve", role="Owner", project="elsewhere"))
    job = room.made["import"]
    for tail in ("", "/status", "/series", "/logs", "/log/0/stdout", "/config", "/files", "/events"):
        assert stranger.get(f"/p/elsewhere/jobs/{job}{tail}").status_code == 404
        assert stranger.get(f"/p/lab/jobs/{job}{tail}").status_code == 404
    assert stranger.post(f"/p/elsewhere/jobs/{job}/cancel").status_code == 404


def test_a_viewer_starts_nothing(room: rooms.Rooms, browser: Browser, invite: Callable[..., str]) -> None:
    viewer = browser(invite("vic", role="Viewer"))
    sent: dict[str, Any] = {"method": "sft_demo"}
    assert viewer.get(f"/p/lab/jobs/{room.made['import']}").status_code == 200
    assert viewer.get("/p/lab/jobs/new").status_code == 403
    assert viewer.post("/p/lab/jobs/new", data=sent).status_code == 403
    assert viewer.post(f"/p/lab/jobs/{room.made['import']}/cancel").status_code == 403


@pytest.mark.parametrize(
    ("loss", "says", "state"),
    [
        (None, "Yes: the loss is falling.", "Succeeded"),
        (lambda step: 2.1 + step, "the loss rose, so what was learnt is lost (diverged)", "it did not learn"),
        (lambda step: 2.1, "the loss has not fallen", "it did not learn"),
    ],
)
def test_a_training_is_praised_only_if_it_learnt(
    client: FlaskClient, room: rooms.Rooms, loss: Callable[[int], float] | None, says: str, state: str
) -> None:
    job = room.train("tuned")
    attempt = room.run(job, loss=loss)
    assert says in plain(client.get(f"/p/lab/jobs/{job.id}").text)
    room.finish_model(attempt, "adapter")
    page = client.get(f"/p/lab/jobs/{job.id}").text
    assert says in plain(page)
    assert state in plain(page)
    assert ("The model has learnt" in plain(page)) == (loss is None)
    assert (f"/p/lab/jobs/new?from={job.id}#parameter.learning_rate" in page) == (loss is not None)
    part = plain(client.get(f"/p/lab/jobs/{job.id}/status").text)
    assert says in part


@pytest.mark.parametrize(
    ("reward", "says", "figures"),
    [
        (lambda step: step / 80, "Yes: the reward is rising.", "Reward: 0.0312 at first, 0.4813 at last"),
        (lambda step: 0.4 + 0.1 * (step % 2), "Not so far: the reward has not risen.", "0.45 at last"),
        (lambda step: 0.0, "the reward has been the same in every step", "Reward: 0 at first"),
        (lambda step: 0.6 - step / 80, "the reward has fallen", "0.1187 at last"),
    ],
)  # fmt: skip
def test_a_training_by_reward_is_judged_by_its_reward(
    client: FlaskClient, room: rooms.Rooms, reward: Callable[[int], float], says: str, figures: str
) -> None:
    job = room.reward("rewarded")
    attempt = room.run(job, reward=reward)
    page = client.get(f"/p/lab/jobs/{job.id}").text
    assert says in plain(page) and figures in plain(page)
    assert "Loss" not in plain(page)
    room.finish_model(attempt, "adapter")
    assert ("it did not learn" in plain(client.get(f"/p/lab/jobs/{job.id}").text)) == ("Yes" not in says)


def test_a_run_that_learns_by_heart_is_told_so(client: FlaskClient, room: rooms.Rooms) -> None:
    job = room.train("tuned")
    room.run(job, held_out=lambda step: 1.0 + (step - 10) / 20)
    assert "It learns by heart: the loss on held-out rows rises again" in plain(
        client.get(f"/p/lab/jobs/{job.id}").text
    )
    curves = {one["label"] for one in client.get(f"/p/lab/jobs/{job.id}/series").json["series"]}
    assert curves == {"Loss", "Loss on held-out rows"}


def test_at_the_first_steps_nothing_is_said_yet(client: FlaskClient, room: rooms.Rooms) -> None:
    job = room.train("tuned")
    room.run(job, steps=3)
    page = plain(client.get(f"/p/lab/jobs/{job.id}").text)
    assert "it should fall and then level off" in page
    assert "Time on the machine" in page
    assert "Ended" not in page


def test_the_fields_of_a_form_stand_as_the_manifest_has_them(client: FlaskClient, room: rooms.Rooms) -> None:
    manifest = MethodVersionRecord.get(MethodVersionRecord.name == "sft_demo").manifest
    page = client.get("/p/lab/jobs/new?kind=train").text
    for group in manifest["groups"]:
        named = [key for key, one in manifest["parameters"]["properties"].items() if one["x-group"] == group]
        assert named == sorted(named, key=lambda key: page.index(f'id="parameter.{key}"'))
    assert next(iter(manifest["parameters"]["properties"])) == "steps"
    evaluate = client.get("/p/lab/jobs/new?kind=evaluate").text
    assert evaluate.index('id="input.candidate"') < evaluate.index('id="input.baseline"')


def test_the_form_says_what_the_job_will_take(client: FlaskClient, room: rooms.Rooms) -> None:
    """… and on which machine, once it stands and at each change; while something is missing, nothing is said."""
    form = filled(client.get(f"/p/lab/jobs/new?kind=train&dataset={room.made['version']}").text)
    again = plain(client.post("/p/lab/jobs/plan", data=form).text)
    assert re.search(r"Memory, about [\d.]+ [GM]iB", again)
    assert "How long is not known yet." in again
    assert "What it will take" not in client.post("/p/lab/jobs/plan", data=form | {"input.dataset": ""}).text
    assert "What it will take" not in client.post("/p/lab/jobs/plan", data=form | {"parameter.steps": "x"}).text
