"""The Automation service's calls about methods: what can be run, and versions of one's own."""

from __future__ import annotations

from typing import IO
from zipfile import BadZipFile, ZipFile

from control_plane.domain import method_files
from control_plane.domain.errors import FieldInvalid, MethodArchiveUnreadable
from control_plane.domain.permissions import require
from control_plane.rpc import messages, wire
from control_plane.rpc.calls import Call
from control_plane.services import authoring, dry_runs, method_differences, methods
from control_plane.store.methods import MethodVersionRecord
from tunesmith.v1 import automation_pb2 as pb

_SLICE = 4 << 20  # bytes of a file in one answer
_LONGEST = 64 << 10  # characters of JSON in a request
_LANGUAGES = frozenset({"en", "de", "zh"})


def list_methods(call: Call, request: pb.ListMethodsRequest) -> pb.ListMethodsReply:
    found = methods.list_methods(call.actor, call.cp)
    return pb.ListMethodsReply(methods=[messages.method(method) for method in found])


def list_versions(call: Call, request: pb.ListMethodVersionsRequest) -> pb.ListMethodVersionsReply:
    found = authoring.versions(call.actor, call.cp, request.name)
    return pb.ListMethodVersionsReply(versions=[_version(one) for one in found])


def get_file(call: Call, request: pb.GetMethodFileRequest) -> pb.GetMethodFileReply:
    data = authoring.read_file(call.actor, call.cp, request.version_id, request.path)
    start = max(0, min(request.offset, len(data)))
    length = min(request.length or _SLICE, _SLICE)
    return pb.GetMethodFileReply(data=data[start : start + max(0, length)], size=len(data))


def compare(call: Call, request: pb.CompareMethodVersionsRequest) -> pb.CompareMethodVersionsReply:
    found = method_differences.compare(call.actor, call.cp, request.old_id, request.new_id)
    pair = [authoring.version(call.actor, call.cp, number) for number in (request.old_id, request.new_id)]
    files = [pb.MethodDifference(path=one.path, lines=one.lines) for one in found]
    return pb.CompareMethodVersionsReply(files=files, kit_differs=method_differences.has_other_kit(*pair))


def may_upload(call: Call) -> None:
    """Raises what keeps the caller from handing in methods."""
    require(call.actor, "method.write")


def upload(call: Call, header: pb.UploadMethodHeader, archive: IO[bytes]) -> pb.MethodVersion:
    try:
        with ZipFile(archive) as opened:
            files = method_files.unpacked(opened)
    except (BadZipFile, NotImplementedError, OSError, ValueError) as problem:
        raise MethodArchiveUnreadable from problem
    if header.check_only:
        return pb.MethodVersion(name=authoring.check(call.actor, call.cp, files)["name"])
    made, reused = authoring.add(call.actor, call.cp, files, header.only_new)
    return _version(made, reused)


def copy(call: Call, request: pb.CopyMethodRequest) -> pb.MethodVersion:
    words = {"display": request.display, "description": request.description}
    given = {key: texts for key, text in words.items() if (texts := _words(key, text))}
    return _version(authoring.copy(call.actor, call.cp, request.source_id, request.name, request.type, given))


def try_it(call: Call, request: pb.TryMethodRequest) -> pb.Job:
    parameters = wire.json_object("parameters", request.parameters, _LONGEST)
    job = dry_runs.start(call.actor, call.cp, request.project, request.version_id, request.machine_id, parameters)
    return call.job(job)


def publish(call: Call, request: pb.PublishMethodRequest) -> pb.MethodVersion:
    return _version(authoring.publish(call.actor, call.cp, request.version_id))


def delete(call: Call, request: pb.DeleteMethodRequest) -> pb.MethodVersion:
    return _version(authoring.delete(call.actor, call.cp, request.version_id))


def restore(call: Call, request: pb.RestoreMethodRequest) -> pb.MethodVersion:
    return _version(authoring.restore(call.actor, call.cp, request.version_id))


def _words(field: str, text: str) -> dict[str, str]:
    """Texts by language. Raises FieldInvalid."""
    found = wire.json_object(field, text, _LONGEST)
    if found and (found.keys() != _LANGUAGES or not all(isinstance(one, str) and one for one in found.values())):
        raise FieldInvalid(field=field, problem='{"en": "…", "de": "…", "zh": "…"}')
    return found


def _version(record: MethodVersionRecord, reused: bool = False) -> pb.MethodVersion:
    job = dry_runs.job_of(record)
    return pb.MethodVersion(
        id=record.id,
        name=record.name,
        number=record.number,
        hash=record.hash,
        source=record.source,
        state=record.state,
        current=record.current,
        author=record.author,
        created_at=record.created_at,
        approved_by=record.approved_by,
        approved_at=record.approved_at,
        dry_run_job_id=record.dry_run_job,
        dry_run_state=job.state if job else "",
        files=[
            pb.MethodFile(path=path, size=one["size"], sha256=one["sha256"])
            for path, one in authoring.own_files(record).items()
        ],
        reused=reused,
    )
