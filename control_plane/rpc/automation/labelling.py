"""The Automation service's calls about labellings: answers and variations that people judge one by one."""

from __future__ import annotations

import json

from control_plane.domain.errors import FieldInvalid
from control_plane.domain.labelling import Kind
from control_plane.rpc import messages
from control_plane.rpc.calls import Call
from control_plane.services.labelling import agreeing, judging, making, saving, summary
from control_plane.services.labelling.judging import Item
from control_plane.services.labelling.making import Rows, Wanted
from control_plane.services.labelling.summary import Agreed, Summary
from control_plane.store.datasets import DatasetRecord
from control_plane.store.labelling import LabellingRecord
from control_plane.wording import say
from tunesmith.v1 import automation_pb2 as pb

_ITEMS = 20


def start(call: Call, request: pb.StartLabellingRequest) -> pb.Labelling:
    """Raises FieldInvalid for a kind that is none."""
    if request.kind not in ("", *Kind):
        raise FieldInvalid(field="kind", problem=", ".join(Kind))
    rows = Rows(request.split or "train", list(request.numbers), request.text, request.check, request.count)
    wanted = Wanted(
        dataset_version_id=request.dataset_version_id,
        kind=Kind(request.kind or Kind.ANSWERS),
        rows=rows,
        deployment=request.deployment,
        endpoint=request.endpoint,
        name=request.name,
        instruction=request.instruction,
        per_row=request.per_row or 1,
        overlap=request.overlap,
        seed=request.seed,
    )
    return _found(call, making.start(call.actor, call.cp, request.project, wanted))


def get(call: Call, request: pb.GetLabellingRequest | pb.WaitLabellingRequest) -> pb.Labelling:
    return _message(call, summary.of(call.actor, call.cp, request.id))


def list_labellings(call: Call, request: pb.ListLabellingsRequest) -> pb.ListLabellingsReply:
    found = making.of_project(call.actor, call.cp, request.project)
    counts = summary.counts([one.id for one in found])
    listed = [_message(call, Summary(one, counts[one.id], [])) for one in found]
    return pb.ListLabellingsReply(labellings=listed)


def stop(call: Call, request: pb.StopLabellingRequest) -> pb.Labelling:
    return _found(call, making.stop(call.actor, call.cp, request.id))


def resume(call: Call, request: pb.ResumeLabellingRequest) -> pb.Labelling:
    return _found(call, making.resume(call.actor, call.cp, request.id))


def close(call: Call, request: pb.CloseLabellingRequest) -> pb.Labelling:
    return _found(call, making.close(call.actor, call.cp, request.id))


def next_item(call: Call, request: pb.NextLabelItemRequest) -> pb.NextLabelItemReply:
    found = judging.next_item(call.actor, call.cp, request.labelling_id)
    return pb.NextLabelItemReply(item=_item(call, found) if found else None)


def list_items(call: Call, request: pb.ListLabelItemsRequest) -> pb.ListLabelItemsReply:
    found = judging.list_items(
        call.actor, call.cp, request.labelling_id, request.outcome, request.state, request.offset,
        request.limit or _ITEMS,
    )  # fmt: skip
    listed = [_item(call, one) for one in found]
    shown = messages.fitting(listed, lambda one: len(one.row) + 2 * len(one.answer))
    return pb.ListLabelItemsReply(items=shown)


def judge(call: Call, request: pb.JudgeLabelItemRequest) -> pb.LabelItem:
    judging.judge(call.actor, call.cp, request.id, request.action, request.answer)
    return _item(call, judging.show(call.actor, call.cp, request.id))


def list_agreeing(call: Call, request: pb.ListAgreeingItemsRequest) -> pb.ListLabelItemsReply:
    listed = [_item(call, one) for one in agreeing.shown(call.actor, call.cp, request.labelling_id)]
    fitting = messages.fitting(listed, lambda one: len(one.row) + 2 * len(one.answer))
    return pb.ListLabelItemsReply(items=fitting)


def accept(call: Call, request: pb.AcceptLabelItemsRequest) -> pb.AcceptLabelItemsReply:
    done = agreeing.accept(call.actor, call.cp, request.labelling_id, list(request.item_ids))
    return pb.AcceptLabelItemsReply(item_ids=done)


def take_back(call: Call, request: pb.TakeBackLabelItemsRequest) -> pb.TakeBackLabelItemsReply:
    count = agreeing.take_back(call.actor, call.cp, request.labelling_id, list(request.item_ids))
    return pb.TakeBackLabelItemsReply(count=count)


def unskip(call: Call, request: pb.UnskipLabelItemsRequest) -> pb.UnskipLabelItemsReply:
    return pb.UnskipLabelItemsReply(count=judging.unskip(call.actor, call.cp, request.labelling_id))


def save(call: Call, request: pb.SaveLabellingRequest) -> pb.DatasetVersion:
    version, reused = saving.save(
        call.actor, call.cp, request.id, request.form or saving.ANSWERS, not request.drop_others
    )
    return messages.dataset_version(DatasetRecord.get_by_id(version.dataset_id), version, reused)


def _found(call: Call, labelling: LabellingRecord) -> pb.Labelling:
    return _message(call, summary.of(call.actor, call.cp, labelling.id))


def _message(call: Call, found: Summary) -> pb.Labelling:
    labelling, counts = found.labelling, found.counts
    return pb.Labelling(
        id=labelling.id,
        project=call.project_name(labelling.project_id),
        name=labelling.name,
        dataset_version_id=labelling.dataset_version_id,
        kind=labelling.kind,
        asked=json.dumps(labelling.asked) if labelling.asked else "",
        instruction=labelling.instruction,
        per_row=labelling.per_row,
        overlap=labelling.overlap,
        seed=labelling.seed,
        state=labelling.state,
        message=say(labelling.reason, labelling.reason_params, call.locale) if labelling.reason else "",
        version=labelling.version,
        items=counts.items,
        waiting=counts.waiting,
        unusable=counts.unusable,
        accepted=counts.accepted,
        corrected=counts.corrected,
        rejected=counts.rejected,
        disagreed=counts.disagreed,
        agreements=[_agreement(one) for one in found.agreed],
        made_version_id=labelling.made_version_id or 0,
        created_at=labelling.created_at,
        newer_version_id=found.overtaken.newest_id if found.overtaken else 0,
    )


def _agreement(found: Agreed) -> pb.Agreement:
    one = found.agreement
    message = pb.Agreement(
        first=found.first, second=found.second, n=one.n, share=one.share.value, telling=one.is_telling
    )
    if one.kappa is not None:
        message.kappa, message.low, message.high = one.kappa.value, one.kappa.low, one.kappa.high
    return message


def _item(call: Call, found: Item) -> pb.LabelItem:
    item = found.record
    return pb.LabelItem(
        id=item.id,
        labelling_id=item.labelling_id,
        split=item.split,
        number=item.row,
        variation=item.variation,
        state=item.state,
        row=json.dumps(found.row, ensure_ascii=False),
        answer=item.answer,
        message=say(item.problem, item.problem_params, call.locale) if item.problem else "",
        outcome=item.outcome,
        result=item.result,
        lease_until=found.lease_until,
        judgements=[
            pb.Judgement(
                judge=one.judge_name,
                action=one.action,
                answer=one.answer,
                decision=one.is_decision,
                judged_at=one.judged_at,
            )
            for one in found.said
        ],
    )
