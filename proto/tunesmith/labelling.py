"""The client's calls about labellings: answers and variations that people judge one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tunesmith.calls import HANG, Calls
from tunesmith.v1 import automation_pb2 as pb


class Labelling(Calls):
    """What a client can do with labellings."""

    def start_labelling(
        self,
        project: str,
        dataset_version_id: int,
        deployment: str = "",
        rows: Mapping[str, Any] | None = None,
        variations: Mapping[str, Any] | None = None,
        overlap: float = 0.0,
        name: str = "",
        seed: int = 42,
        endpoint: str = "",
    ) -> pb.Labelling:
        """Have people judge a deployment's answers to rows' questions, the rows' own answers, or variations of rows.

        An `endpoint` of the project (by name) answers instead of a deployment.

        `rows` says which: `split` (train, test, all), `numbers`, `text`, `check`, and `count`, so many of them drawn by
        the seed. `variations` has them made by the deployment: `per_row` and `instruction`. `overlap` (0..1) is the
        share of items that two people judge.
        """
        request = pb.StartLabellingRequest(
            project=project,
            dataset_version_id=dataset_version_id,
            deployment=deployment,
            endpoint=endpoint,
            kind="answers" if variations is None else "variations",
            overlap=overlap,
            name=name,
            seed=seed,
            **(rows or {}),
            **(variations or {}),
        )
        return self._ask_once(pb.Labelling, self._stub.StartLabelling, request)

    def get_labelling(self, labelling_id: int) -> pb.Labelling:
        """A labelling with how far it is, and how far its people agree."""
        return self._ask(pb.Labelling, self._stub.GetLabelling, pb.GetLabellingRequest(id=labelling_id))

    def list_labellings(self, project: str) -> list[pb.Labelling]:
        """The labellings of a project, those that go on first, then the newest; without `agreements`."""
        request = pb.ListLabellingsRequest(project=project)
        return list(self._ask(pb.ListLabellingsReply, self._stub.ListLabellings, request).labellings)

    def wait_labelling(self, labelling_id: int) -> Iterator[pb.Labelling]:
        """Follow a labelling, at each change, until all its answers have been asked for."""
        version = 0
        while True:
            request = pb.WaitLabellingRequest(id=labelling_id, after_version=version, wait_seconds=HANG)
            found = self._ask(pb.Labelling, self._stub.WaitLabelling, request)
            if found.version > version:
                yield found
            version = found.version
            if found.state != "asking":
                return

    def stop_labelling(self, labelling_id: int) -> pb.Labelling:
        """Ask for no more answers; those that are there can be judged."""
        return self._ask(pb.Labelling, self._stub.StopLabelling, pb.StopLabellingRequest(id=labelling_id))

    def resume_labelling(self, labelling_id: int) -> pb.Labelling:
        """Ask for what is missing, and once more for what was unusable."""
        return self._ask(pb.Labelling, self._stub.ResumeLabelling, pb.ResumeLabellingRequest(id=labelling_id))

    def close_labelling(self, labelling_id: int) -> pb.Labelling:
        """Nothing more is asked or judged."""
        return self._ask(pb.Labelling, self._stub.CloseLabelling, pb.CloseLabellingRequest(id=labelling_id))

    def next_label_item(self, labelling_id: int) -> pb.LabelItem | None:
        """An item that is kept for the caller for fifteen minutes: the one that they have, else the next."""
        request = pb.NextLabelItemRequest(labelling_id=labelling_id)
        reply = self._ask(pb.NextLabelItemReply, self._stub.NextLabelItem, request)
        return reply.item if reply.HasField("item") else None

    def list_label_items(
        self, labelling_id: int, outcome: str = "", state: str = "", offset: int = 0, limit: int = 20
    ) -> list[pb.LabelItem]:
        """At most 200 items of an outcome (accept, correct, reject, disagreed) or state, with who disagrees."""
        request = pb.ListLabelItemsRequest(
            labelling_id=labelling_id, outcome=outcome, state=state, offset=offset, limit=limit
        )
        return list(self._ask(pb.ListLabelItemsReply, self._stub.ListLabelItems, request).items)

    def judge_label_item(self, item_id: int, action: str, answer: str = "") -> pb.LabelItem:
        """Say accept, correct (with the right answer), reject or skip; where two others disagree it decides."""
        request = pb.JudgeLabelItemRequest(id=item_id, action=action, answer=answer)
        return self._ask(pb.LabelItem, self._stub.JudgeLabelItem, request)

    def list_agreeing_items(self, labelling_id: int) -> list[pb.LabelItem]:
        """At most 20 items that the caller may judge and whose answer is the row's own."""
        request = pb.ListAgreeingItemsRequest(labelling_id=labelling_id)
        return list(self._ask(pb.ListLabelItemsReply, self._stub.ListAgreeingItems, request).items)

    def accept_label_items(self, labelling_id: int, item_ids: Iterable[int]) -> list[int]:
        """Accept items of `list_agreeing_items` that the caller has seen; which, as others may have judged some."""
        request = pb.AcceptLabelItemsRequest(labelling_id=labelling_id, item_ids=item_ids)
        return list(self._ask(pb.AcceptLabelItemsReply, self._stub.AcceptLabelItems, request).item_ids)

    def take_back_label_items(self, labelling_id: int, item_ids: Iterable[int]) -> int:
        """Have items that the caller accepted be judged again; how many."""
        request = pb.TakeBackLabelItemsRequest(labelling_id=labelling_id, item_ids=item_ids)
        return int(self._ask(pb.TakeBackLabelItemsReply, self._stub.TakeBackLabelItems, request).count)

    def unskip_label_items(self, labelling_id: int) -> int:
        """Have what the caller skipped given out to them again; how many items."""
        request = pb.UnskipLabelItemsRequest(labelling_id=labelling_id)
        return int(self._ask(pb.UnskipLabelItemsReply, self._stub.UnskipLabelItems, request).count)

    def save_labelling(self, labelling_id: int, form: str = "answers", drop_others: bool = False) -> pb.DatasetVersion:
        """A dataset version of what is judged by now, as answers, `preference` or `unpaired_preference`.

        With `drop_others`, rows to learn from that nobody judged are left out of the answers. It is made of the version
        that the labelling began with: where the labelling has a `newer_version_id`, what that changed is not in it.
        """
        request = pb.SaveLabellingRequest(id=labelling_id, form=form, drop_others=drop_others)
        return self._ask(pb.DatasetVersion, self._stub.SaveLabelling, request)
