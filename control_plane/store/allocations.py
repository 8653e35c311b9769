"""Allocations: which device, and how much of its memory, is promised to an attempt's part or to a replica."""

from peewee import AutoField, BigIntegerField, BooleanField, CharField, ForeignKeyField

from control_plane.store.database import Record
from control_plane.store.deployments import ReplicaRecord
from control_plane.store.jobs import AttemptPartRecord
from control_plane.store.machines import MachineRecord


class AllocationRecord(Record):
    """One row for each device of each holder, from the offer (or the desire to serve) to the end.

    The unique index lets no device be promised to two attempts alone. That nobody shares what another has alone is
    checked in the transaction that writes the row.
    """

    id = AutoField()
    machine = ForeignKeyField(MachineRecord, on_delete="CASCADE", lazy_load=False)
    machine_id: str
    device = CharField(100)  # uuid
    part = ForeignKeyField(AttemptPartRecord, null=True, on_delete="CASCADE", lazy_load=False)
    part_id: int | None
    replica = ForeignKeyField(ReplicaRecord, null=True, on_delete="CASCADE", lazy_load=False)
    replica_id: int | None
    memory_bytes = BigIntegerField()
    exclusive = BooleanField()

    class Meta:
        table_name = "allocations"
        indexes = ((("machine", "device"), False),)


AllocationRecord.add_index(
    AllocationRecord.index(
        AllocationRecord.machine,
        AllocationRecord.device,
        unique=True,
        where=(AllocationRecord.exclusive == True),  # noqa: E712  # a condition of SQL
        name="allocations_alone",
    )
)
