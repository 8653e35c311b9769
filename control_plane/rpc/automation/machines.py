"""The Automation service's calls about machines and how they join."""

from __future__ import annotations

from control_plane.rpc import messages
from control_plane.rpc.calls import Call
from control_plane.services.fleet import enrollment, machines, upkeep
from tunesmith.v1 import automation_pb2 as pb


def list_machines(call: Call, request: pb.ListMachinesRequest) -> pb.ListMachinesReply:
    found = machines.list_machines(call.actor, call.cp)
    return pb.ListMachinesReply(machines=[messages.machine(machine) for machine in found])


def create_join_token(call: Call, request: pb.CreateJoinTokenRequest) -> pb.CreateJoinTokenReply:
    token, record = enrollment.create_join_token(call.actor, call.cp, request.machine_class, request.lifetime_seconds)
    return pb.CreateJoinTokenReply(token=token, expires_at=record.expires_at)


def get_machine(call: Call, request: pb.GetMachineRequest) -> pb.Machine:
    return _machine(call, request.id)


def drain_machine(call: Call, request: pb.DrainMachineRequest) -> pb.Machine:
    machines.drain(call.actor, call.cp, request.id)
    return _machine(call, request.id)


def undrain_machine(call: Call, request: pb.UndrainMachineRequest) -> pb.Machine:
    machines.undrain(call.actor, call.cp, request.id)
    return _machine(call, request.id)


def revoke_machine(call: Call, request: pb.RevokeMachineRequest) -> pb.Machine:
    machines.revoke(call.actor, call.cp, request.id)
    return _machine(call, request.id)


def describe_machine(call: Call, request: pb.DescribeMachineRequest) -> pb.Machine:
    upkeep.describe(call.actor, call.cp, request.id, request.name, request.labels)
    return _machine(call, request.id)


def remove_machine(call: Call, request: pb.RemoveMachineRequest) -> pb.Machine:
    upkeep.remove(call.actor, call.cp, request.id)
    return _machine(call, request.id)


def _machine(call: Call, machine_id: str) -> pb.Machine:
    return messages.machine(machines.get(call.actor, call.cp, machine_id))
