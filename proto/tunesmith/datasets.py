"""The client's calls about data: files on their way in, drafts, datasets with their versions and rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.calls import HANG, Calls, chunks
from tunesmith.connection import retried
from tunesmith.sending import sent
from tunesmith.v1 import automation_pb2 as pb

DRAFT_RESTS = frozenset({"ready", "saved", "failed", "cancelled"})


class FoundRows(NamedTuple):
    """Rows that were sought: each with its number, and how many there are among those that were looked through."""

    rows: list[tuple[int, dict[str, Any]]]
    total: int
    after: int  # the last row that was looked through, where others follow; else 0


class Datasets(Calls):
    """What a client can do with data."""

    def upload_dataset(
        self,
        project: str,
        name: str,
        train: str | Path | bytes,
        test: str | Path | bytes | None = None,
        format: str = "",
        test_share: float = 0.2,
        split_seed: int = 42,
        leave_out_faulty: bool = False,
    ) -> pb.DatasetVersion:
        """Upload JSON Lines, as paths or as bytes; the new version, or the one that has this content already.

        Without `test`, `test_share` (0..0.5) of the rows are held out, chosen by `split_seed`. An empty `format` is
        recognised from the first row. A fault in a row raises CallFailed naming the file and the line; with
        `leave_out_faulty` such rows are kept aside instead: `list_rows(version, "left_out")`.
        """
        header = pb.UploadHeader(
            project=project,
            name=name,
            format=format,
            test_share=test_share,
            split_seed=split_seed,
            leave_out_faulty=leave_out_faulty,
        )

        def messages() -> Iterator[pb.UploadDatasetRequest]:
            yield pb.UploadDatasetRequest(header=header)
            yield from (pb.UploadDatasetRequest(train=chunk) for chunk in chunks(train))
            if test is not None:
                yield pb.UploadDatasetRequest(test=b"")  # an empty file is a file too
                yield from (pb.UploadDatasetRequest(test=chunk) for chunk in chunks(test))

        return self._repeated(pb.DatasetVersion, lambda: self._stub.UploadDataset(messages(), metadata=self._metadata))

    def begin_upload(self, project: str, file_name: str, size: int, fingerprint: str = "") -> pb.Upload:
        """Announce a file of so many bytes, with a mark by which to know it again; `upload_file` does it all."""
        request = pb.BeginUploadRequest(project=project, file_name=file_name, size=size, fingerprint=fingerprint)
        return self._ask_once(pb.Upload, self._stub.BeginUpload, request)

    def append_upload(self, upload_id: int, offset: int, pieces: Iterable[bytes]) -> pb.Upload:
        """Send the bytes from `offset` on, each piece less than 1 MiB; what came before a break stays."""

        def messages() -> Iterator[pb.AppendUploadRequest]:
            yield pb.AppendUploadRequest(place=pb.UploadPlace(id=upload_id, offset=offset))
            yield from (pb.AppendUploadRequest(data=piece) for piece in pieces)

        return retried(pb.Upload, lambda: self._stub.AppendUpload(messages(), metadata=self._metadata), 0.0)

    def get_upload(self, upload_id: int) -> pb.Upload:
        """A file on its way, with how many bytes have arrived."""
        return self._ask(pb.Upload, self._stub.GetUpload, pb.GetUploadRequest(id=upload_id))

    def list_uploads(self, project: str) -> list[pb.Upload]:
        """The caller's files that are on their way or here, newest first."""
        request = pb.ListUploadsRequest(project=project)
        return list(self._ask(pb.ListUploadsReply, self._stub.ListUploads, request).uploads)

    def cancel_upload(self, upload_id: int) -> pb.Upload:
        """Remove a file that is on its way or here."""
        return self._ask(pb.Upload, self._stub.CancelUpload, pb.CancelUploadRequest(id=upload_id))

    def upload_file(
        self, project: str, path: str | Path, progress: Callable[[int, int], None] = lambda done, of: None
    ) -> pb.Upload:
        """Send a file of any kind, going on where an earlier attempt of the same file broke off.

        `progress` is called with the bytes that were sent, of how many. Raises CallFailed.
        """
        return sent(self, project, Path(path), progress)

    def begin_draft(self, project: str, train_upload_id: int, test_upload_id: int = 0, name: str = "") -> pb.Draft:
        """Have an uploaded file read and checked; `wait_draft` follows. A second file's rows are held out."""
        request = pb.BeginDraftRequest(
            project=project, train_upload_id=train_upload_id, test_upload_id=test_upload_id, name=name
        )
        return self._ask_once(pb.Draft, self._stub.BeginDraft, request)

    def get_draft(self, draft_id: int) -> pb.Draft:
        """A draft with what was found: `look` and `report` are JSON."""
        return self._ask(pb.Draft, self._stub.GetDraft, pb.GetDraftRequest(id=draft_id))

    def wait_draft(self, draft_id: int) -> Iterator[pb.Draft]:
        """Follow a draft, at each change, until it is ready, saved, failed or cancelled."""
        version = 0
        while True:
            request = pb.WaitDraftRequest(id=draft_id, after_version=version, wait_seconds=HANG)
            draft = self._ask(pb.Draft, self._stub.WaitDraft, request)
            if draft.version > version:
                yield draft
            version = draft.version
            if draft.state in DRAFT_RESTS:
                return

    def list_drafts(self, project: str) -> list[pb.Draft]:
        """The caller's drafts that are not over, newest first, without `look` and `report`."""
        request = pb.ListDraftsRequest(project=project)
        return list(self._ask(pb.ListDraftsReply, self._stub.ListDrafts, request).drafts)

    def change_draft(
        self,
        draft_id: int,
        mapping: Mapping[str, Any] | None = None,
        choices: Mapping[str, str] | None = None,
        split: Mapping[str, Any] | None = None,
        source: Mapping[str, Any] | None = None,
        base_model_id: int | None = None,
    ) -> pb.Draft:
        """Change what is given and have the rows checked again; each is as `get_draft` has it, as a dict.

        Lengths are told in tokens of the base model; 0: in characters.
        """
        request = pb.ChangeDraftRequest(
            id=draft_id,
            mapping="" if mapping is None else json.dumps(mapping),
            choices="" if choices is None else json.dumps(choices),
            split="" if split is None else json.dumps(split),
            source="" if source is None else json.dumps(source),
            base_model_id=base_model_id,
        )
        return self._ask(pb.Draft, self._stub.ChangeDraft, request)

    def preview_draft(self, draft_id: int, mapping: Mapping[str, Any]) -> list[pb.PreviewedRecord]:
        """What a mapping would make of the first records; nothing is changed."""
        request = pb.PreviewDraftRequest(id=draft_id, mapping=json.dumps(mapping))
        return list(self._ask(pb.PreviewDraftReply, self._stub.PreviewDraft, request).records)

    def save_draft(self, draft_id: int, name: str = "") -> pb.Draft:
        """Have a draft that is ready made a version of the dataset `name`; `wait_draft` follows."""
        return self._ask_once(pb.Draft, self._stub.SaveDraft, pb.SaveDraftRequest(id=draft_id, name=name))

    def cancel_draft(self, draft_id: int) -> pb.Draft:
        """End a draft and remove its files."""
        return self._ask(pb.Draft, self._stub.CancelDraft, pb.CancelDraftRequest(id=draft_id))

    def list_datasets(self, project: str, tag: str = "") -> list[pb.DatasetVersion]:
        """All versions of all datasets of a project, newest first; with a tag, of those that bear it."""
        request = pb.ListDatasetsRequest(project=project, tag=tag)
        return list(self._ask(pb.ListDatasetsReply, self._stub.ListDatasets, request).versions)

    def get_dataset_version(self, dataset_version_id: int) -> pb.DatasetVersionDetails:
        """A version with its mapping, source, facts and report (JSON), and the jobs and models that used it."""
        request = pb.GetDatasetVersionRequest(id=dataset_version_id)
        return self._ask(pb.DatasetVersionDetails, self._stub.GetDatasetVersion, request)

    def search_rows(
        self,
        dataset_version_id: int,
        text: str = "",
        check: str = "",
        split: str = "train",
        offset: int = 0,
        limit: int = 20,
        after: int = 0,
    ) -> FoundRows:
        """At most 200 rows with a text that a check has found, each with its number.

        A large version is looked through part by part: what is found has the `after` with which the search goes on.
        """
        request = pb.SearchRowsRequest(
            dataset_version_id=dataset_version_id,
            split=split,
            text=text,
            check=check,
            offset=offset,
            limit=limit,
            after=after,
        )
        reply = self._ask(pb.SearchRowsReply, self._stub.SearchRows, request)
        return FoundRows([(one.number, json.loads(one.row)) for one in reply.rows], reply.total, reply.after)

    def see_row(
        self,
        dataset_version_id: int = 0,
        number: int = 1,
        split: str = "train",
        model_id: int = 0,
        learn_from: str = "completion",
        max_length: int = 0,
        draft_id: int = 0,
    ) -> pb.SeenRow:
        """One row (from 1) of a version, or of a draft, as a model sees it: its tokens, and which training learns.

        Without a model the one that a training used last; `learn_from` and `max_length` are as methods have them.
        """
        request = pb.SeeRowRequest(
            dataset_version_id=dataset_version_id,
            draft_id=draft_id,
            split=split,
            number=number,
            model_id=model_id,
            learn_from=learn_from,
            max_length=max_length,
        )
        return self._ask(pb.SeenRow, self._stub.SeeRow, request)

    def measure_lengths(self, dataset_version_id: int, model_id: int = 0) -> pb.MeasuredLengths:
        """How long a version's rows are in tokens of a model, as bars; of a large version some thousand are counted."""
        request = pb.MeasureLengthsRequest(dataset_version_id=dataset_version_id, model_id=model_id)
        return self._ask(pb.MeasuredLengths, self._stub.MeasureLengths, request)

    def edit_rows(
        self,
        dataset_version_id: int,
        split: str = "train",
        changed: Mapping[int, Mapping[str, Any]] | None = None,
        removed: Iterable[int] = (),
        added: Iterable[Mapping[str, Any]] = (),
    ) -> pb.EditRowsReply:
        """Another version in which rows of a part, by their numbers from 1, are others, gone, or new at its end.

        At most 1000 at once, all or none. It is `version` at once; of a large version there is a `draft`, and
        `wait_draft` follows.
        """
        request = pb.EditRowsRequest(
            dataset_version_id=dataset_version_id,
            split=split,
            changed=[pb.NumberedRow(number=number, row=json.dumps(row)) for number, row in (changed or {}).items()],
            removed=removed,
            added=[json.dumps(row) for row in added],
        )
        return self._ask_once(pb.EditRowsReply, self._stub.EditRows, request)

    def compare_dataset_versions(
        self, old_id: int, new_id: int, offset: int = 0, limit: int = 20
    ) -> pb.CompareDatasetVersionsReply:
        """How many rows of a dataset were added, removed or changed between two versions, and at most 200 of them."""
        request = pb.CompareDatasetVersionsRequest(old_id=old_id, new_id=new_id, offset=offset, limit=limit)
        return self._ask(pb.CompareDatasetVersionsReply, self._stub.CompareDatasetVersions, request)

    def list_rows(
        self, dataset_version_id: int, split: str = "train", offset: int = 0, limit: int = 20
    ) -> list[dict[str, Any]]:
        """At most 200 rows of a dataset version's `train`, `test` or `left_out` part; fewer where they are long."""
        request = pb.ListRowsRequest(dataset_version_id=dataset_version_id, split=split, offset=offset, limit=limit)
        return [json.loads(row) for row in self._ask(pb.ListRowsReply, self._stub.ListRows, request).rows]
