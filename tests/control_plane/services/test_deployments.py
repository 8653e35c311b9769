"""Deployments: the desired state, the machine, what it reports, and who may ask."""

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    Denied,
    FieldInvalid,
    ModelOnlyScores,
    ModelUnfit,
    NameInvalid,
    NotFound,
    NothingServes,
    Superseded,
)
from control_plane.domain.matching import Plan, Snapshot, plan
from control_plane.domain.permissions import OWNER, SYSTEM, VIEWER, Actor
from control_plane.domain.presence import ReplicaStatus
from control_plane.services import deployments, jobs, models
from control_plane.services.fleet import artifacts, attempts, machines, scheduling
from control_plane.store.allocations import AllocationRecord
from control_plane.store.deployments import DeploymentRecord, ReplicaRecord
from control_plane.store.machines import MachineRecord
from control_plane.store.models import ModelRecord
from control_plane.store.projects import ProjectRecord
from fleet_support import GIB, Fleet, inventory_of, model_files, succeed
from support import FakeClock


@pytest.fixture
def machine(fleet: Fleet) -> Actor:
    return fleet.machine()


def made(fleet: Fleet, machine: Actor, method: str, form: str, **inputs: int) -> ModelRecord:
    job = jobs.submit(fleet.user, fleet.cp, "default", method, inputs=inputs)
    assert scheduling.run_pass(fleet.cp) == 1
    succeed(machine, fleet.cp, fleet.attempt(job.id), {"model": model_files(form)})
    return ModelRecord.get(ModelRecord.job == job.id)


@pytest.fixture
def packaged(fleet: Fleet, machine: Actor) -> ModelRecord:
    base = made(fleet, machine, "bring", "base")
    adapter = made(fleet, machine, "tune", "adapter", base=base.id, dataset=fleet.dataset().id)
    return made(fleet, machine, "pack", "gguf", model=adapter.id)


@pytest.fixture
def deployment(cp: ControlPlane, fleet: Fleet, packaged: ModelRecord) -> DeploymentRecord:
    """A deployment that a machine has been told to serve."""
    deployment = deployments.deploy(fleet.user, cp, "default", "assistant", packaged.id)
    scheduling.run_pass(cp)
    return deployment


def observe(machine: Actor, cp: ControlPlane, state: str, generation: int = 1, **more: object) -> None:
    replica = ReplicaRecord.select().where(ReplicaRecord.machine == machine.id).order_by(ReplicaRecord.id.desc()).get()
    deployments.observe(machine, cp, 1, [ReplicaStatus(replica.id, generation, state, **more)])


def state(deployment: DeploymentRecord) -> str:
    return deployments.condition(DeploymentRecord.get_by_id(deployment.id)).state


def test_from_desired_to_serving_to_stopped(
    cp: ControlPlane, fleet: Fleet, machine: Actor, deployment: DeploymentRecord
) -> None:
    before = deployments.get(fleet.user, cp, deployment.id).version
    assert state(deployment) == "STARTING"
    with pytest.raises(NothingServes):
        deployments.serving_replica(fleet.user, cp, "default", "assistant")
    observe(machine, cp, "STARTING")
    observe(machine, cp, "SERVING", memory=5)
    assert state(deployment) == "SERVING"
    assert deployments.get(fleet.user, cp, deployment.id).version > before
    replica = deployments.serving_replica(fleet.user, cp, None, "assistant")
    assert replica.machine_id == machine.id
    stopped = deployments.stop(fleet.user, cp, deployment.id)
    assert (stopped.desired_state, deployments.condition(stopped).state) == ("STOPPED", "STOPPED")
    replica = ReplicaRecord.get_by_id(replica.id)
    assert (replica.desired_state, replica.generation) == ("STOPPED", 2)
    assert AllocationRecord.select().count() == 0
    with pytest.raises(NothingServes):
        deployments.serving_replica(fleet.user, cp, "default", "assistant")
    scheduling.run_pass(cp)
    assert ReplicaRecord.select().count() == 1


def test_the_instruction_says_what_to_serve_and_opens_its_files(
    cp: ControlPlane, fleet: Fleet, machine: Actor, deployment: DeploymentRecord
) -> None:
    serve = deployments.serve_of(ReplicaRecord.get())
    assert (serve.name, serve.context_length, serve.slots, serve.model.form) == ("assistant", 2048, 4, "gguf")
    weights = next(file for file in serve.model.files if file.path == "model.gguf")
    assert artifacts.read_blob(machine, cp, weights.sha256, 0, 100)[1] == weights.size
    deployments.stop(fleet.user, cp, deployment.id)
    with pytest.raises(NotFound):
        artifacts.read_blob(machine, cp, weights.sha256, 0, 100)


def test_the_same_name_is_a_new_generation(
    cp: ControlPlane, fleet: Fleet, machine: Actor, deployment: DeploymentRecord, packaged: ModelRecord
) -> None:
    observe(machine, cp, "SERVING")
    same = deployments.deploy(fleet.user, cp, "default", "assistant", packaged.id)
    assert same.id == deployment.id and ReplicaRecord.get().generation == 1 and state(deployment) == "SERVING"
    adapter = models.list_models(fleet.user, cp, "default", "adapter")[0]
    newer = made(fleet, machine, "pack", "gguf", model=adapter.id)
    again = deployments.deploy(fleet.user, cp, "default", "assistant", newer.id)
    assert (again.id, again.model_id) == (deployment.id, newer.id)
    assert ReplicaRecord.get().generation == 2 and state(deployment) == "STARTING"
    observe(machine, cp, "SERVING", generation=1)  # a late report about the old model
    assert state(deployment) == "STARTING"
    observe(machine, cp, "SERVING", generation=2)
    assert state(deployment) == "SERVING"


def test_a_failed_engine_says_why(cp: ControlPlane, machine: Actor, deployment: DeploymentRecord) -> None:
    observe(machine, cp, "FAILED", reason="engine_failed", params={"problem": "no memory"}, restarts=3)
    condition = deployments.condition(DeploymentRecord.get_by_id(deployment.id))
    assert (condition.state, condition.code, condition.params) == ("FAILED", "engine_failed", {"problem": "no memory"})


def test_only_its_own_replicas_and_only_the_newest_session(
    cp: ControlPlane, fleet: Fleet, machine: Actor, deployment: DeploymentRecord
) -> None:
    replica = ReplicaRecord.get()
    deployments.observe(fleet.machine(), cp, 1, [ReplicaStatus(replica.id, 1, "SERVING")])
    assert state(deployment) == "STARTING"
    with pytest.raises(Superseded):
        deployments.observe(machine, cp, 0, [ReplicaStatus(replica.id, 1, "SERVING")])


def test_a_silent_machine_does_not_serve_and_is_replaced_after_its_lease(
    cp: ControlPlane, fleet: Fleet, machine: Actor, deployment: DeploymentRecord, clock: FakeClock
) -> None:
    observe(machine, cp, "SERVING")
    MachineRecord.update(connectivity="DISCONNECTED").where(MachineRecord.id == machine.id).execute()
    with pytest.raises(NothingServes):
        deployments.serving_replica(fleet.user, cp, "default", "assistant")
    scheduling.run_pass(cp)
    assert ReplicaRecord.select().count() == 1
    clock.advance(cp.settings.lease_server_seconds + 1)
    other = fleet.machine()
    scheduling.run_pass(cp)
    replica = ReplicaRecord.get(ReplicaRecord.desired_state == "SERVING")
    assert replica.machine_id == other.id


def test_it_waits_for_a_machine_with_room_and_says_so(
    cp: ControlPlane, fleet: Fleet, machine: Actor, packaged: ModelRecord
) -> None:
    ModelRecord.update(size=20 * GIB).where(ModelRecord.id == packaged.id).execute()
    deployment = deployments.deploy(fleet.user, cp, "default", "assistant", packaged.id)
    scheduling.run_pass(cp)
    condition = deployments.condition(DeploymentRecord.get_by_id(deployment.id))
    assert (condition.state, condition.code) == ("QUEUED", "memory")


def test_an_engine_runs_beside_an_attempt_but_its_memory_counts(
    cp: ControlPlane, fleet: Fleet, machine: Actor, packaged: ModelRecord
) -> None:
    job = jobs.submit(fleet.user, cp, "default", "bring")
    scheduling.run_pass(cp)
    attempt = fleet.attempt(job.id)
    attempts.accept(machine, cp, attempt.id, attempt.fence)
    ModelRecord.update(size=13 * GIB).where(ModelRecord.id == packaged.id).execute()
    deployment = deployments.deploy(fleet.user, cp, "default", "assistant", packaged.id)
    scheduling.run_pass(cp)
    assert state(deployment) == "QUEUED"  # 1 GiB is promised to the attempt
    deployments.deploy(fleet.user, cp, "default", "assistant", packaged.id, context_length=256, slots=1)
    ModelRecord.update(size=10 * GIB).where(ModelRecord.id == packaged.id).execute()
    scheduling.run_pass(cp)
    assert state(deployment) == "STARTING"


def test_what_cannot_be_deployed(cp: ControlPlane, fleet: Fleet, packaged: ModelRecord) -> None:
    adapter = models.list_models(fleet.user, cp, "default", "adapter")[0]
    with pytest.raises(ModelUnfit):
        deployments.deploy(fleet.user, cp, "default", "assistant", adapter.id)
    ModelRecord.update(form="reward").where(ModelRecord.id == adapter.id).execute()
    with pytest.raises(ModelOnlyScores):
        deployments.deploy(fleet.user, cp, "default", "assistant", adapter.id)
    with pytest.raises(NameInvalid):
        deployments.deploy(fleet.user, cp, "default", "An Assistant", packaged.id)
    with pytest.raises(FieldInvalid):
        deployments.deploy(fleet.user, cp, "default", "assistant", packaged.id, slots=0)
    with pytest.raises(NotFound):
        deployments.deploy(fleet.user, cp, "default", "assistant", 999)
    assert DeploymentRecord.select().count() == 0


def test_projects_do_not_see_each_other(
    cp: ControlPlane, fleet: Fleet, machine: Actor, deployment: DeploymentRecord, packaged: ModelRecord
) -> None:
    observe(machine, cp, "SERVING")
    second = ProjectRecord.create(name="second", title="Second", created_at=cp.clock())
    stranger = Actor(kind="user", id="2", name="bob", roles={second.id: OWNER})
    viewer = Actor(kind="user", id="3", name="eve", roles={fleet.project.id: VIEWER})
    for act in (
        lambda: deployments.get(stranger, cp, deployment.id),
        lambda: deployments.stop(stranger, cp, deployment.id),
        lambda: deployments.deploy(stranger, cp, "second", "theirs", packaged.id),
        lambda: deployments.serving_replica(stranger, cp, "default", "assistant"),
        lambda: deployments.serving_replica(stranger, cp, None, "assistant"),
        lambda: deployments.list_deployments(stranger, cp, "default"),
    ):
        with pytest.raises(NotFound):
            act()
    assert deployments.serving_replica(viewer, cp, "default", "assistant").machine_id == machine.id
    with pytest.raises(Denied):
        deployments.stop(viewer, cp, deployment.id)


def test_a_stop_while_it_is_being_placed_leaves_no_engine(
    cp: ControlPlane, fleet: Fleet, machine: Actor, packaged: ModelRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = deployments.deploy(fleet.user, cp, "default", "assistant", packaged.id)

    def stop_meanwhile(snapshot: Snapshot) -> Plan:
        planned = plan(snapshot)
        deployments.stop(fleet.user, cp, deployment.id)
        return planned

    monkeypatch.setattr(deployments, "plan", stop_meanwhile)
    assert deployments.place(cp) == 0
    assert ReplicaRecord.select().count() == AllocationRecord.select().count() == 0
    assert state(deployment) == "STOPPED"


def test_an_engine_and_a_job_at_once_are_promised_no_more_memory_than_there_is(
    cp: ControlPlane, fleet: Fleet, machine: Actor, packaged: ModelRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    MachineRecord.update(inventory=inventory_of(GIB + GIB // 4)).execute()
    deployment = deployments.deploy(fleet.user, cp, "default", "assistant", packaged.id)

    def offer_meanwhile(snapshot: Snapshot) -> Plan:
        planned = plan(snapshot)
        monkeypatch.undo()
        jobs.submit(fleet.user, cp, "default", "bring")
        with monkeypatch.context() as patched:
            patched.setattr(deployments, "place", lambda _: 0)
            assert scheduling.run_pass(cp) == 1
        return planned

    monkeypatch.setattr(deployments, "plan", offer_meanwhile)
    assert deployments.place(cp) == 0 and ReplicaRecord.select().count() == 0
    assert deployments.place(cp) == 0
    assert DeploymentRecord.get_by_id(deployment.id).waiting_code == "memory"


def test_an_engine_that_does_not_come_up_is_tried_on_each_other_machine_once(
    cp: ControlPlane, fleet: Fleet, machine: Actor, deployment: DeploymentRecord
) -> None:
    other = fleet.machine()
    observe(machine, cp, "FAILED", reason="engine_failed")
    scheduling.run_pass(cp)
    replica = ReplicaRecord.get(ReplicaRecord.desired_state == "SERVING")
    assert replica.machine_id == other.id and AllocationRecord.get().replica_id == replica.id
    observe(other, cp, "FAILED", reason="engine_failed")
    scheduling.run_pass(cp)  # nobody is left: the last one goes on trying, and says why it cannot
    assert ReplicaRecord.get(ReplicaRecord.desired_state == "SERVING").id == replica.id
    assert state(deployment) == "FAILED"


def test_what_was_given_up_and_is_deployed_again_is_tried_anew_by_every_machine(
    cp: ControlPlane, fleet: Fleet, machine: Actor, deployment: DeploymentRecord, packaged: ModelRecord
) -> None:
    other = fleet.machine()
    for one in (machine, other):
        observe(one, cp, "FAILED", reason="engine_failed")
        assert not deployments.condition(DeploymentRecord.get()).given_up  # the pass may find another
        scheduling.run_pass(cp)
    assert deployments.condition(DeploymentRecord.get()).given_up
    deployments.deploy(fleet.user, cp, "default", "assistant", packaged.id)
    assert state(deployment) == "STARTING" and not deployments.condition(DeploymentRecord.get()).given_up
    observe(other, cp, "FAILED", reason="engine_failed", generation=2)
    scheduling.run_pass(cp)
    again = ReplicaRecord.get(ReplicaRecord.desired_state == "SERVING")
    assert again.machine_id == machine.id  # it had failed with what was desired before
    deployments.deploy(fleet.user, cp, "default", "assistant", packaged.id)
    assert ReplicaRecord.get(ReplicaRecord.desired_state == "SERVING").id == again.id  # nothing failed: nothing anew


def test_a_change_that_does_not_fit_the_machine_any_more_goes_elsewhere(
    cp: ControlPlane, fleet: Fleet, machine: Actor, deployment: DeploymentRecord, packaged: ModelRecord
) -> None:
    observe(machine, cp, "SERVING")
    large = fleet.machine(memory=64 * GIB)
    ModelRecord.update(size=20 * GIB).where(ModelRecord.id == packaged.id).execute()
    deployments.deploy(fleet.user, cp, "default", "assistant", packaged.id, slots=8)
    scheduling.run_pass(cp)
    assert ReplicaRecord.get(ReplicaRecord.desired_state == "SERVING").machine_id == large.id


def test_an_engine_that_computes_on_a_gpu_is_promised_the_gpus_memory(
    cp: ControlPlane, fleet: Fleet, packaged: ModelRecord
) -> None:
    MachineRecord.update(drained=True).execute()
    gpu = {"uuid": "GPU-1", "kind": "cuda", "name": "GPU", "memory_total": 80 * GIB, "memory_free": 80 * GIB}
    cpu = inventory_of(16 * GIB)["devices"][0]
    fleet.machine(platforms=["cpu", "cuda"], engine="cuda", devices=[cpu, gpu])
    deployments.deploy(fleet.user, cp, "default", "assistant", packaged.id)
    scheduling.run_pass(cp)
    assert AllocationRecord.get().device == "GPU-1"
    assert deployments.serve_of(ReplicaRecord.get()).devices == ("GPU-1",)


def test_a_model_that_cannot_be_read_fails_its_replica_alone(
    cp: ControlPlane, machine: Actor, deployment: DeploymentRecord, packaged: ModelRecord
) -> None:
    ModelRecord.update(form="adapter", base=None).where(ModelRecord.id == packaged.id).execute()
    machines.drain(SYSTEM, cp, machine.id)
    assert [one.key for one in machines.instructions(machine, cp, 1)] == ["drain"]
    replica = ReplicaRecord.get()
    assert (replica.state, replica.reason) == ("FAILED", "offer_unbuildable")
