"""The Automation service's calls about rewards."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from control_plane.rpc import messages
from control_plane.rpc.calls import Call
from control_plane.services import results
from control_plane.services.rewards import dry_running, kept
from control_plane.services.rewards.kept import Kept
from control_plane.store.rewards import RewardDryRunRecord, RewardRecord, RewardVersionRecord
from control_plane.wording import say
from tunesmith.v1 import automation_pb2 as pb


def save(call: Call, request: pb.SaveRewardRequest) -> pb.Reward:
    saved = kept.save(
        call.actor,
        call.cp,
        request.project,
        request.name,
        request.document,
        title=request.title,
        base=request.base_version,
    )
    found = kept.get(call.actor, call.cp, request.project, f"{request.name}@{saved.number}")
    return _reward(request.project, found, _authors([saved]))


def list_rewards(call: Call, request: pb.ListRewardsRequest) -> pb.ListRewardsReply:
    found = kept.list_rewards(call.actor, call.cp, request.project, request.tag)
    authors = _authors([one.version for one in found])
    return pb.ListRewardsReply(rewards=[_reward(request.project, one, authors) for one in found])


def get(call: Call, request: pb.GetRewardRequest) -> pb.Reward:
    found = kept.get(call.actor, call.cp, request.project, request.reward)
    return _reward(request.project, found, _authors([found.version]))


def list_versions(call: Call, request: pb.ListRewardVersionsRequest) -> pb.ListRewardsReply:
    reward = kept.get(call.actor, call.cp, request.project, request.reward).reward
    found = kept.versions(reward)
    authors = _authors(found)
    return pb.ListRewardsReply(rewards=[_reward(request.project, Kept(reward, one), authors) for one in found])


def dry_run(call: Call, request: pb.DryRunRewardRequest) -> pb.RewardDryRun:
    begun = dry_running.start(
        call.actor,
        call.cp,
        request.project,
        request.reward,
        request.dataset_version_id,
        deployment=request.deployment,
        endpoint=request.endpoint,
    )
    return _dry_run(call, begun)


def get_dry_run(call: Call, request: pb.GetRewardDryRunRequest | pb.WaitRewardDryRunRequest) -> pb.RewardDryRun:
    return _dry_run(call, dry_running.get(call.actor, call.cp, request.id))


def cancel_dry_run(call: Call, request: pb.CancelRewardDryRunRequest) -> pb.RewardDryRun:
    return _dry_run(call, dry_running.cancel(call.actor, call.cp, request.id))


def _dry_run(call: Call, found: RewardDryRunRecord) -> pb.RewardDryRun:
    version = RewardVersionRecord.get_by_id(found.reward_version_id)
    trial = dry_running.trial_of(found)
    return pb.RewardDryRun(
        id=found.id,
        project=call.project_name(found.project_id),
        reward=f"{RewardRecord.get_by_id(version.reward_id).name}@{version.number}",
        dataset_version_id=found.dataset_version_id,
        outcome=found.outcome,
        done=found.done,
        of=found.of,
        version=found.version,
        reason=found.reason,
        message=say(found.reason, found.reason_params, call.locale) if found.reason else "",
        findings=[
            pb.RewardFinding(code=one.code, message=say(one.code, one.params, call.locale), is_fault=one.is_fault)
            for one in (trial.findings if trial else [])
        ],
        trial=json.dumps(found.trial, ensure_ascii=False),
        created_at=found.created_at,
        ended_at=found.ended_at,
    )


def _authors(versions: Sequence[RewardVersionRecord]) -> Mapping[str, str]:
    return results.owners_of({str(one.created_by) for one in versions})


def _reward(project: str, found: Kept, authors: Mapping[str, str]) -> pb.Reward:
    return pb.Reward(
        id=found.reward.id,
        project=project,
        name=found.reward.name,
        title=found.reward.title,
        version=found.version.number,
        hash=found.version.hash,
        author=authors.get(found.version.created_by, ""),
        created_at=found.version.created_at,
        document=json.dumps(found.version.document, ensure_ascii=False),
        thing=messages.thing(found.reward),
    )
