"""Deployments: models that are to be served; replicas: one machine serving it."""

from peewee import AutoField, BigIntegerField, CharField, CompositeKey, ForeignKeyField, IntegerField

from control_plane.store.database import JSONField, Record, TimeField
from control_plane.store.machines import MachineRecord
from control_plane.store.models import ModelRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.prompts import PromptVersionRecord
from control_plane.store.things import Thing, name_once


class DeploymentRecord(Thing):
    id = AutoField()
    project = ForeignKeyField(ProjectRecord, on_delete="CASCADE", lazy_load=False)
    project_id: int
    name = CharField(64)  # the model name in the OpenAI-compatible endpoint
    model = ForeignKeyField(ModelRecord, lazy_load=False)
    model_id: int
    desired_state = CharField(16)  # SERVING | STOPPED
    generation = BigIntegerField(default=1)  # raised by each change of what is desired
    version = BigIntegerField(default=1)  # raised by each change that somebody may watch
    context_length = IntegerField()  # tokens a slot
    slots = IntegerField()  # concurrent requests
    waiting_code = CharField(64, default="")
    waiting_params = JSONField(default=dict)
    # what callers may ask for beside the model (domain/prompts/carried.py)
    prompt_version = ForeignKeyField(PromptVersionRecord, null=True, lazy_load=False)  # null: none
    prompt_version_id: int | None
    answer_schema = JSONField(default=dict)  # a JSON Schema; empty: none
    created_by = CharField(64)
    created_at = TimeField()

    class Meta:
        table_name = "deployments"


DeploymentRecord.add_index(name_once(DeploymentRecord, DeploymentRecord.project, DeploymentRecord.name))


class ReplicaRecord(Record):
    id = AutoField()
    deployment = ForeignKeyField(DeploymentRecord, backref="replicas", on_delete="CASCADE", lazy_load=False)
    deployment_id: int
    machine = ForeignKeyField(MachineRecord, lazy_load=False)
    machine_id: str
    generation = BigIntegerField(default=1)  # of the desired state: raised by each change of it
    desired_state = CharField(16)  # SERVING | STOPPED
    observed_generation = BigIntegerField(default=0)  # what the last report answers
    state = CharField(16)  # STARTING | SERVING | STOPPED | FAILED, as observed
    reason = CharField(64, default="")
    reason_params = JSONField(default=dict)
    restarts = IntegerField(default=0)
    failed_generation = BigIntegerField(default=0)  # of the deployment: what it could not serve, and gave up
    observed_at = TimeField(default=0.0)

    class Meta:
        table_name = "replicas"
        indexes = ((("desired_state",), False),)


class TrafficRecord(Record):
    deployment = ForeignKeyField(DeploymentRecord, on_delete="CASCADE", lazy_load=False, index=False)
    deployment_id: int
    started_at = BigIntegerField()  # seconds since the epoch, of a period of requests.py
    requests = IntegerField()  # that were passed on in it

    class Meta:
        table_name = "traffic"
        primary_key = CompositeKey("deployment", "started_at")
