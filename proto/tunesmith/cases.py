"""The client's calls about cases: worked examples, shipped or saved from one's own runs."""

from __future__ import annotations

from typing import Any

from tunesmith.calls import Calls
from tunesmith.v1 import automation_pb2 as pb


class Cases(Calls):
    """What a client can do with cases."""

    def list_cases(self, domain: str = "", task: str = "", minutes: float = 0.0) -> list[pb.Case]:
        """The worked examples, of a domain, a task and a time where given; `plan` is JSON."""
        request = pb.ListCasesRequest(domain=domain, task=task, minutes=minutes)
        return list(self._ask(pb.ListCasesReply, self._stub.ListCases, request).cases)

    def get_case_file(self, case: str, file: str) -> bytes:
        """A file of a case by its path inside the case."""
        request = pb.GetCaseFileRequest(case=case, file=file)
        return bytes(self._ask(pb.GetCaseFileReply, self._stub.GetCaseFile, request).data)

    def save_case(self, run_id: int, title: str, problem: str, **more: Any) -> pb.Case:
        """A run that ended well as a case.

        `more`: language, field, task, need, result, with_data (else only their shape) and shared.
        """
        request = pb.SaveCaseRequest(run_id=run_id, title=title, problem=problem, **more)
        return self._ask_once(pb.Case, self._stub.SaveCase, request)

    def share_case(self, case: str, shared: bool = True) -> pb.Case:
        """Show a saved case in every project, or keep it in its own."""
        return self._ask(pb.Case, self._stub.ShareCase, pb.ShareCaseRequest(case=case, shared=shared))

    def delete_case(self, case: str) -> None:
        """Delete a saved case, its data and what was said of it."""
        self._ask_once(pb.DeleteCaseReply, self._stub.DeleteCase, pb.DeleteCaseRequest(case=case))

    def export_case(self, case: str) -> bytes:
        """A case as one ZIP archive."""
        request = pb.ExportCaseRequest(case=case)
        return bytes(self._ask(pb.ExportCaseReply, self._stub.ExportCase, request).archive)

    def import_case(self, project: str, archive: bytes, shared: bool = False) -> pb.Case:
        """A case from an archive, into a project."""
        request = pb.ImportCaseRequest(project=project, archive=archive, shared=shared)
        return self._ask_once(pb.Case, self._stub.ImportCase, request)

    def rate_case(self, case: str, rating: int, text: str = "") -> pb.CaseNote:
        """Say what one thinks of a case, from 1 to 5 and in words; in place of what one said before."""
        return self._ask(pb.CaseNote, self._stub.RateCase, pb.RateCaseRequest(case=case, rating=rating, text=text))

    def list_case_notes(self, case: str) -> list[pb.CaseNote]:
        """What people said of a case, the newest first."""
        request = pb.ListCaseNotesRequest(case=case)
        return list(self._ask(pb.ListCaseNotesReply, self._stub.ListCaseNotes, request).notes)
