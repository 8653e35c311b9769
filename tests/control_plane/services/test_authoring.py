"""Methods of one's own: drafts, dry runs, publishing, deleting, and that what jobs pin stays."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    Denied,
    ManifestFaulty,
    MethodDeleted,
    MethodFileMissing,
    MethodNameReserved,
    MethodNotTried,
    MethodTaken,
    MethodUnknown,
    MethodUntriable,
    NotFound,
)
from control_plane.domain.lifecycle import FAILED, SUCCEEDED
from control_plane.domain.permissions import DEVELOPER, EXPERT, Actor
from control_plane.services import authoring, dry_runs, jobs, method_differences, method_folders, methods, transitions
from control_plane.services.fleet import offers, scheduling
from control_plane.store.audit import AuditRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.machines import MachineRecord
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.models import ModelRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.references import BlobReferenceRecord
from fleet_support import Fleet, model_files, succeed

SHIPPED = method_folders.SHIPPED[0]


def files(name: str = "mine", *, begun_as: str = "sft_demo", **changed: bytes) -> dict[str, bytes]:
    found = {path.name: path.read_bytes() for path in (SHIPPED / begun_as).iterdir() if path.is_file()}
    found["method.toml"] = found["method.toml"].replace(f'name = "{begun_as}"'.encode(), f'name = "{name}"'.encode())
    return found | {path.replace("__", "."): data for path, data in changed.items()}


@pytest.fixture
def ada(fleet: Fleet) -> Actor:
    """Writes methods; may not publish them."""
    return replace(fleet.user, id="2", name="ada", roles={fleet.project.id: DEVELOPER})


@pytest.fixture
def root(fleet: Fleet) -> Actor:
    return replace(fleet.user, id="3", name="root", administrator=True)


def tried(cp: ControlPlane, fleet: Fleet, actor: Actor, version: MethodVersionRecord) -> JobRecord:
    """A dry run that went well, on a machine of its own."""
    machine = fleet.machine()
    job = dry_runs.start(actor, cp, "default", version.id, machine.id)
    scheduling.run_pass(cp)
    assert succeed(machine, cp, fleet.attempt(job.id), {"model": model_files("adapter")}) == SUCCEEDED
    return JobRecord.get_by_id(job.id)


def test_from_the_draft_to_the_list_and_who_approved_it(
    cp: ControlPlane, fleet: Fleet, ada: Actor, root: Actor
) -> None:
    draft, reused = authoring.add(ada, cp, files())
    assert (draft.state, draft.source, draft.author, draft.number, reused) == ("draft", "ours", "ada", 1, False)
    assert authoring.add(ada, cp, files()) == (draft, True)
    with pytest.raises(MethodUnknown):
        methods.get(ada, cp, "mine")
    with pytest.raises(MethodNotTried):
        authoring.publish(root, cp, draft.id)
    tried(cp, fleet, ada, draft)
    with pytest.raises(Denied):
        authoring.publish(ada, cp, draft.id)
    published = authoring.publish(root, cp, draft.id)
    assert (published.state, published.current, published.approved_by) == ("published", True, "root")
    assert methods.get(ada, cp, "mine").id == draft.id
    told = {one.action: one for one in AuditRecord.select().where(AuditRecord.subject == f"method:{draft.id}")}
    assert set(told) == {"method.draft", "method.try", "method.publish"}
    assert {one.details["hash"] for one in told.values()} == {draft.hash}
    assert (told["method.draft"].actor_name, told["method.publish"].actor_name) == ("ada", "root")


def test_an_edit_is_another_version_and_the_earlier_one_can_come_back(
    cp: ControlPlane, fleet: Fleet, ada: Actor, root: Actor
) -> None:
    first = authoring.add(ada, cp, files())[0]
    tried(cp, fleet, ada, first)
    authoring.publish(root, cp, first.id)
    second, _ = authoring.edit(
        ada,
        cp,
        first.id,
        {"train.py": b"print()\n", "README.md": None, "more/x.py": b"\xff\xfe", "long.txt": b"a\n" * 5_001},
    )
    assert second.number == 2 and methods.get(ada, cp, "mine").id == first.id
    found = {one.path: one.lines for one in method_differences.compare(ada, cp, first.id, second.id)}
    assert set(found) == {"train.py", "README.md", "more/x.py", "long.txt"}
    assert "+print()" in found["train.py"] and found["more/x.py"] == found["long.txt"] == []
    assert all(line.startswith(("-", "@")) for line in found["README.md"][2:])
    assert not method_differences.has_other_kit(first, second)
    tried(cp, fleet, ada, second)
    authoring.publish(root, cp, second.id)
    assert [one.current for one in authoring.versions(ada, cp, "mine")] == [True, False]
    authoring.publish(root, cp, first.id)
    assert methods.get(ada, cp, "mine").id == first.id


def test_a_failed_dry_run_and_one_of_another_version_do_not_count(
    cp: ControlPlane, fleet: Fleet, ada: Actor, root: Actor
) -> None:
    first = authoring.add(ada, cp, files())[0]
    tried(cp, fleet, ada, first)
    second, _ = authoring.edit(ada, cp, first.id, {"train.py": b"raise SystemExit(1)\n"})
    with pytest.raises(MethodNotTried):
        authoring.publish(root, cp, second.id)
    machine = fleet.machine()
    job = dry_runs.start(ada, cp, "default", second.id, machine.id)
    scheduling.run_pass(cp)
    transitions.move(machine, cp, fleet.attempt(job.id), FAILED, "trainer_crashed", {})
    with pytest.raises(MethodNotTried):
        authoring.publish(root, cp, second.id)


def test_a_dry_run_goes_to_its_machine_alone_and_leaves_no_model(cp: ControlPlane, fleet: Fleet, ada: Actor) -> None:
    others, chosen = [fleet.machine() for _ in range(3)], fleet.machine()
    draft = authoring.add(ada, cp, files())[0]
    job = dry_runs.start(ada, cp, "default", draft.id, chosen.id, {"steps": 3})
    scheduling.run_pass(cp)
    attempt = fleet.attempt(job.id)
    assert attempt.machine_id == chosen.id and others
    offer = offers.offer_of(cp, attempt)
    assert offer.parameters["steps"] == 3 and offer.parameters["batch_size"] == 4
    assert {one.name: (one.form, one.format) for one in offer.inputs} == {
        "base": ("base", ""),
        "dataset": ("", "prompt_completion"),
    }
    paths = {file.path for one in offer.inputs for file in one.files}
    assert {"model.safetensors", "tokenizer.json", "train.jsonl", "test.jsonl"} <= paths
    named = {one.sha256 for one in BlobReferenceRecord.select()}
    assert {file.sha256 for one in offer.inputs for file in one.files} <= named
    succeed(chosen, cp, attempt, {"model": model_files("adapter")})
    assert JobRecord.get_by_id(job.id).state == SUCCEEDED
    assert not ModelRecord.select().exists()
    assert jobs.config(ada, cp, job.id)["inputs"]["dataset"]["format"] == "prompt_completion"


@pytest.mark.parametrize("begun_as", ["grpo_demo", "ppo"])
def test_a_dry_run_of_what_learns_by_reward_has_one(cp: ControlPlane, fleet: Fleet, ada: Actor, begun_as: str) -> None:
    draft = authoring.add(ada, cp, files(begun_as=begun_as))[0]
    job = dry_runs.start(ada, cp, "default", draft.id, fleet.machine().id)
    chosen = jobs.config(ada, cp, job.id)["parameters"]
    assert [one["check"] for one in chosen["reward"]] == ["json_valid"]
    assert (chosen["steps"], chosen["max_new_tokens"]) == (4, 8)


def test_what_a_dry_run_makes_small_is_a_parameter_of_a_shipped_method() -> None:
    manifests = [tomllib.loads(path.read_text("utf-8")) for path in SHIPPED.glob("*/method.toml")]
    assert set(dry_runs.SMALL) <= {name for one in manifests for name in one["parameters"]["properties"]}


def test_a_dry_run_waits_for_its_machine_and_says_so(cp: ControlPlane, fleet: Fleet, ada: Actor) -> None:
    fleet.machine()
    absent = fleet.machine()
    MachineRecord.update(connectivity="DISCONNECTED").where(MachineRecord.id == absent.id).execute()
    draft = authoring.add(ada, cp, files())[0]
    job = dry_runs.start(ada, cp, "default", draft.id, absent.id)
    scheduling.run_pass(cp)
    assert JobRecord.get_by_id(job.id).waiting_code == "chosen_machine_offline"
    with pytest.raises(NotFound):
        dry_runs.start(ada, cp, "default", draft.id, "no machine")


def test_a_method_that_takes_neither_cannot_be_tried(cp: ControlPlane, fleet: Fleet, ada: Actor) -> None:
    packing = MethodVersionRecord.get(MethodVersionRecord.name == "pack")
    with pytest.raises(MethodUntriable):
        dry_runs.start(ada, cp, "default", packing.id, fleet.machine().id)


def test_a_deleted_method_is_offered_no_more_and_its_jobs_run_again(
    cp: ControlPlane, fleet: Fleet, ada: Actor, root: Actor
) -> None:
    bring = methods.get(ada, cp, "bring")
    job = jobs.submit(ada, cp, "default", "bring")
    with pytest.raises(Denied):
        authoring.delete(ada, cp, bring.id)
    deleted = authoring.delete(root, cp, bring.id)
    assert "bring" not in [one.name for one in methods.list_methods(ada, cp)]
    with pytest.raises(MethodUnknown):
        jobs.submit(ada, cp, "default", "bring")
    again = jobs.submit(ada, cp, "default", methods.pinned(deleted))
    assert again.method_version_id == job.method_version_id
    scheduling.run_pass(cp)
    with pytest.raises(MethodDeleted):
        authoring.publish(root, cp, bring.id)
    authoring.restore(root, cp, bring.id)
    assert methods.get(ada, cp, "bring").id == bring.id


def test_who_may_not_publish_brings_no_deleted_method_back_by_handing_it_in_again(
    cp: ControlPlane, fleet: Fleet, ada: Actor, root: Actor
) -> None:
    draft = authoring.add(ada, cp, files())[0]
    tried(cp, fleet, ada, draft)
    authoring.publish(root, cp, draft.id)
    authoring.delete(root, cp, draft.id)
    for again in (lambda: authoring.add(ada, cp, files()), lambda: authoring.edit(ada, cp, draft.id, {})):
        with pytest.raises(Denied):
            again()
    assert MethodVersionRecord.get_by_id(draft.id).state == "deleted"
    assert authoring.add(root, cp, files())[0].state == "published"


@pytest.mark.parametrize("said", ['pattern = "(a+)+$"', 'items = { "$ref" = "http://127.0.0.1:9/x.json" }'])
def test_a_parameter_can_make_its_check_neither_hang_nor_go_elsewhere(
    cp: ControlPlane, fleet: Fleet, ada: Actor, said: str
) -> None:
    sound = files()
    text = '{ en = "x", de = "x", zh = "x" }'
    own = f"""
[parameters.properties.own]
type = ["string", "array"]
title = {text}
description = {text}
x-group = "own"
x-level = "expert"
default = []
"""
    group = f"\n[groups.own]\ndisplay = {text}\n"
    assert authoring.check(ada, cp, sound | {"method.toml": sound["method.toml"] + (own + group).encode()})
    with pytest.raises(ManifestFaulty) as caught:
        authoring.check(ada, cp, sound | {"method.toml": sound["method.toml"] + (own + said + group).encode()})
    assert str(caught.value.params["field"]).startswith("parameters.properties.own")


def test_a_draft_is_thrown_away_and_taken_back_by_its_author(cp: ControlPlane, fleet: Fleet, ada: Actor) -> None:
    draft = authoring.add(ada, cp, files())[0]
    assert authoring.delete(ada, cp, draft.id).state == "deleted"
    with pytest.raises(MethodDeleted):
        dry_runs.start(ada, cp, "default", draft.id, fleet.machine().id)
    assert authoring.restore(ada, cp, draft.id).state == "draft"
    authoring.delete(ada, cp, draft.id)
    assert authoring.add(ada, cp, files())[0].state == "draft"


def test_a_draft_is_nobody_elses_to_throw_away(cp: ControlPlane, fleet: Fleet, ada: Actor, root: Actor) -> None:
    draft = authoring.add(ada, cp, files())[0]
    eve = replace(ada, id="4", name="eve")
    with pytest.raises(Denied):
        authoring.delete(eve, cp, draft.id)
    assert MethodVersionRecord.get_by_id(draft.id).state == "draft"
    authoring.delete(ada, cp, draft.id)
    with pytest.raises(Denied):
        authoring.restore(eve, cp, draft.id)
    authoring.restore(root, cp, draft.id)
    assert authoring.delete(root, cp, draft.id).state == "deleted"


def test_what_was_published_once_comes_back_as_no_draft(
    cp: ControlPlane, fleet: Fleet, ada: Actor, root: Actor
) -> None:
    first = authoring.add(ada, cp, files())[0]
    tried(cp, fleet, ada, first)
    authoring.publish(root, cp, first.id)
    authoring.delete(root, cp, first.id)
    second = authoring.edit(ada, cp, first.id, {"notes.md": b"Another.\n"})[0]
    tried(cp, fleet, ada, second)
    authoring.publish(root, cp, second.id)
    with pytest.raises(Denied):  # it was approved for all: bringing it back is no author's business alone
        authoring.restore(ada, cp, first.id)
    came_back = authoring.restore(root, cp, first.id)
    assert (came_back.state, came_back.current) == ("published", False)
    assert methods.get(ada, cp, "mine").id == second.id


def test_a_start_brings_back_neither_what_was_deleted_nor_what_was_replaced(
    cp: ControlPlane, fleet: Fleet, ada: Actor, root: Actor, tmp_path: Path
) -> None:
    methods.register_shipped(cp)
    shipped = methods.get(ada, cp, "sft_demo")
    authoring.delete(root, cp, methods.get(ada, cp, "export_gguf").id)
    ours, _ = authoring.edit(ada, cp, shipped.id, {"train.py": b"print()\n"})
    tried(cp, fleet, ada, ours)
    authoring.publish(root, cp, ours.id)
    methods.register_shipped(cp)
    assert methods.get(ada, cp, "sft_demo").id == ours.id
    assert "export_gguf" not in [one.name for one in methods.list_methods(ada, cp)]


def test_a_copy_has_its_own_name_and_words(cp: ControlPlane, fleet: Fleet, ada: Actor) -> None:
    methods.register_shipped(cp)
    source = methods.get(ada, cp, "sft_demo")
    words = {"display": {"en": "Mine", "de": "Meins", "zh": "我的"}}
    made = authoring.copy(ada, cp, source.id, "mine", "custom", words)
    manifest = methods.manifest(made, "de")
    assert (manifest.name, manifest.type, manifest.display) == ("mine", "custom", "Meins")
    assert json.loads(authoring.read_file(ada, cp, made.id, "example.json"))["method"] == "mine"
    with pytest.raises(MethodTaken):
        authoring.copy(ada, cp, source.id, "sft_demo")
    with pytest.raises(NotFound):
        authoring.read_file(ada, cp, made.id, "../kit/entry.py")
    with pytest.raises(MethodNameReserved):
        authoring.copy(ada, cp, source.id, "kit")


def test_nothing_of_a_faulty_folder_is_kept_and_the_place_is_named(cp: ControlPlane, fleet: Fleet, ada: Actor) -> None:
    before = MethodVersionRecord.select().count()
    sound = files()
    faulty = sound["method.toml"].replace(b'kind = "train"', b'kind = "juggle"')
    with pytest.raises(ManifestFaulty) as caught:
        authoring.add(ada, cp, sound | {"method.toml": faulty})
    assert (caught.value.params["line"], caught.value.params["field"]) == (2, "kind")
    with pytest.raises(ManifestFaulty) as caught:
        authoring.check(ada, cp, sound | {"method.toml": sound["method.toml"].replace(b'"batch_size"', b'"batch"')})
    assert caught.value.params["field"] == "parameters.properties.batch_size.use"
    with pytest.raises(MethodNameReserved):
        authoring.add(ada, cp, sound | {"method.toml": sound["method.toml"].replace(b'"mine"', b'"kit"', 1)})
    with pytest.raises(MethodFileMissing):
        authoring.add(ada, cp, {path: data for path, data in sound.items() if path != "train.py"})
    assert MethodVersionRecord.select().count() == before
    assert authoring.check(ada, cp, sound)["name"] == "mine"


def test_who_may_not_write_methods_sees_no_drafts(cp: ControlPlane, fleet: Fleet, ada: Actor) -> None:
    reader = replace(ada, name="eve", roles={fleet.project.id: EXPERT})
    draft = authoring.add(ada, cp, files())[0]
    for refused in (authoring.add, authoring.check):
        with pytest.raises(Denied):
            refused(reader, cp, files("other"))
    with pytest.raises(NotFound):
        authoring.version(reader, cp, draft.id)
    with pytest.raises(NotFound):
        authoring.versions(reader, cp, "mine")
    assert "mine" not in [one.version.name for one in authoring.overview(reader, cp)]
    assert "mine" in [one.version.name for one in authoring.overview(ada, cp)]


def test_the_list_counts_uses_over_all_versions(cp: ControlPlane, fleet: Fleet, ada: Actor) -> None:
    jobs.submit(ada, cp, "default", "bring")
    jobs.submit(ada, cp, "default", "bring")
    draft = authoring.add(ada, cp, files())[0]
    dry_runs.start(ada, cp, "default", draft.id, fleet.machine().id)
    uses = {one.version.name: one.uses for one in authoring.overview(ada, cp)}
    assert (uses["bring"], uses["mine"]) == (2, 0)


@pytest.mark.parametrize("record", [JobRecord, ProjectRecord])
def test_who_used_it_leaves_out_what_is_in_the_trash(
    cp: ControlPlane, fleet: Fleet, root: Actor, record: type[JobRecord | ProjectRecord]
) -> None:
    job = jobs.submit(root, cp, "default", "bring")
    assert [one.id for one, _ in authoring.used_by(root, cp, "bring")] == [job.id]
    record.update(deleted_at=cp.clock()).execute()
    assert authoring.used_by(root, cp, "bring") == []
