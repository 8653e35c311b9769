"""The Automation service's calls about cases: those that were shipped, and those that people saved."""

from __future__ import annotations

from control_plane.rpc import messages
from control_plane.rpc.calls import Call
from control_plane.services import cases
from control_plane.services.case_library import notes, saving
from control_plane.services.case_library.notes import Note
from control_plane.services.case_library.saving import Story
from tunesmith.v1 import automation_pb2 as pb


def list_cases(call: Call, request: pb.ListCasesRequest) -> pb.ListCasesReply:
    found = cases.list_cases(call.actor, call.cp, request.domain, request.task, request.minutes)
    ratings = notes.ratings([case.name for case in found])
    projects = cases.projects_of(call.actor, found)
    return pb.ListCasesReply(
        cases=[messages.case(case, ratings.get(case.name), projects.get(case.name, "")) for case in found]
    )


def get_file(call: Call, request: pb.GetCaseFileRequest) -> pb.GetCaseFileReply:
    return pb.GetCaseFileReply(data=cases.read_file(call.actor, call.cp, request.case, request.file))


def save(call: Call, request: pb.SaveCaseRequest) -> pb.Case:
    story = Story(
        language=request.language or "en",
        title=request.title,
        field=request.field,
        task=request.task,
        problem=request.problem,
        need=request.need,
        result=request.result,
    )
    made = saving.save(call.actor, call.cp, request.run_id, story, request.with_data, request.shared)
    return _one(call, made.name)


def share(call: Call, request: pb.ShareCaseRequest) -> pb.Case:
    return _one(call, saving.share(call.actor, call.cp, request.case, request.shared).name)


def delete(call: Call, request: pb.DeleteCaseRequest) -> pb.DeleteCaseReply:
    saving.delete(call.actor, call.cp, request.case)
    return pb.DeleteCaseReply()


def export(call: Call, request: pb.ExportCaseRequest) -> pb.ExportCaseReply:
    return pb.ExportCaseReply(archive=saving.export(call.actor, call.cp, request.case))


def bring(call: Call, request: pb.ImportCaseRequest) -> pb.Case:
    return _one(call, saving.bring(call.actor, call.cp, request.project, request.archive, request.shared).name)


def rate(call: Call, request: pb.RateCaseRequest) -> pb.CaseNote:
    return _note(notes.write(call.actor, call.cp, request.case, request.rating, request.text))


def list_notes(call: Call, request: pb.ListCaseNotesRequest) -> pb.ListCaseNotesReply:
    return pb.ListCaseNotesReply(notes=map(_note, notes.of_case(call.actor, call.cp, request.case)))


def _one(call: Call, name: str) -> pb.Case:
    case = cases.get(call.actor, call.cp, name)
    return messages.case(case, notes.ratings([name]).get(name), cases.projects_of(call.actor, [case]).get(name, ""))


def _note(note: Note) -> pb.CaseNote:
    return pb.CaseNote(user=note.user, rating=note.rating, text=note.text, written_at=note.written_at)
