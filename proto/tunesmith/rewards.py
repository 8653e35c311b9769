"""The client's calls about rewards."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tunesmith.calls import HANG, Calls, followed
from tunesmith.v1 import automation_pb2 as pb


class Rewards(Calls):
    """What a client can do with rewards."""

    def save_reward(
        self,
        project: str,
        name: str,
        document: str | Mapping[str, Any] | Sequence[Mapping[str, Any]],
        title: str = "",
        base_version: int = 0,
    ) -> pb.Reward:
        """Keep a document as the newest version of the reward of this name, unless that says the same.

        The document is `{"checks": [{"check", "weight", "parameters"}, …]}` or the list alone. With `base_version`,
        refuse where there is a newer one by now.
        """
        text = document if isinstance(document, str) else json.dumps(document)
        request = pb.SaveRewardRequest(
            project=project, name=name, document=text, title=title, base_version=base_version
        )
        return self._ask(pb.Reward, self._stub.SaveReward, request)

    def list_rewards(self, project: str, tag: str = "") -> list[pb.Reward]:
        """The rewards of a project, each as its newest version, by name."""
        request = pb.ListRewardsRequest(project=project, tag=tag)
        return list(self._ask(pb.ListRewardsReply, self._stub.ListRewards, request).rewards)

    def get_reward(self, project: str, reward: str) -> pb.Reward:
        """A reward by `name`, or a version of it by `name@3`; `document` is JSON."""
        request = pb.GetRewardRequest(project=project, reward=reward)
        return self._ask(pb.Reward, self._stub.GetReward, request)

    def list_reward_versions(self, project: str, reward: str) -> list[pb.Reward]:
        """The versions of a reward, the newest first."""
        request = pb.ListRewardVersionsRequest(project=project, reward=reward)
        return list(self._ask(pb.ListRewardsReply, self._stub.ListRewardVersions, request).rewards)

    # ---- dry runs

    def dry_run_reward(
        self, project: str, reward: str, dataset_version_id: int, deployment: str = "", endpoint: str = ""
    ) -> pb.RewardDryRun:
        """Begin to try a reward (`name` or `name@3`) on at most 64 rows, with samples of a model if one is named."""
        request = pb.DryRunRewardRequest(
            project=project,
            reward=reward,
            dataset_version_id=dataset_version_id,
            deployment=deployment,
            endpoint=endpoint,
        )
        return self._ask_once(pb.RewardDryRun, self._stub.DryRunReward, request)

    def get_reward_dry_run(self, dry_run_id: int) -> pb.RewardDryRun:
        """A dry run; `findings` are sentences, `trial` is JSON with all that it found."""
        request = pb.GetRewardDryRunRequest(id=dry_run_id)
        return self._ask(pb.RewardDryRun, self._stub.GetRewardDryRun, request)

    def wait_reward_dry_run(self, dry_run_id: int) -> Iterator[pb.RewardDryRun]:
        """Follow a dry run, at each change, until it is over."""
        return followed(
            lambda seen: self._ask(
                pb.RewardDryRun,
                self._stub.WaitRewardDryRun,
                pb.WaitRewardDryRunRequest(id=dry_run_id, after_version=seen, wait_seconds=HANG),
            )
        )

    def cancel_reward_dry_run(self, dry_run_id: int) -> pb.RewardDryRun:
        """Have a dry run end."""
        request = pb.CancelRewardDryRunRequest(id=dry_run_id)
        return self._ask(pb.RewardDryRun, self._stub.CancelRewardDryRun, request)
