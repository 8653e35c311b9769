"""TRL's PPO loop, which can be left and gone on with: policy, critic and optimizer are in each checkpoint."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

import torch
from kit import checkpoints, signals
from kit.training.report import KEPT, Report
from questions import Questions
from rewards import LENGTH, Rewards
from safetensors.torch import load_file, save_file
from trl.experimental.ppo import PPOTrainer

LEARNED, STATE = "learned.safetensors", "state.json"
# what TRL calls our curves
NAMES = {"objective/scores": "reward", "objective/kl": "kl", "objective/entropy": "entropy",
         "loss/policy_avg": "policy_loss", "loss/value_avg": "value_loss", "lr": "learning_rate"}  # fmt: skip
CURVES = ("reward", "kl", "entropy", "policy_loss", "value_loss")


class StepReport(Report):
    """In PPOTrainer's loop a step is told before it ends."""

    done = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **given: Any) -> None:
        """Go on behind the steps that are done."""
        state.global_step, state.max_steps = self.done, self.steps
        state.episode = self.done * args.batch_size
        super().on_train_begin(args, state, control, model, **given)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **given: Any) -> None:
        """Take the time of the step."""
        self._seconds = time.perf_counter() - self._since
        super().on_log(args, state, control, logs, **given)


class ResumablePPO(PPOTrainer):  # type: ignore[misc]
    """PPOTrainer over our questions and rewards."""

    def __init__(self, report: StepReport, rewards: Rewards, questions: Questions, **options: Any) -> None:
        super().__init__(**options)
        self.report, self._rewards, self._questions = report, rewards, questions
        self.dataloader = questions

    def go(self, resume: Path | None, scratch: Path) -> None:
        """Train to the end, from a checkpoint if there is one; exits with 143 where SIGTERM asked for the end."""
        if resume is not None:
            self._restore(resume, scratch)
        self.train()

    def log(self, logs: dict[str, float], *given: Any) -> None:
        """A step's numbers by our names."""
        told = {ours: logs[theirs] for theirs, ours in NAMES.items()}
        told["kl"] /= max(1.0, self._rewards.told[LENGTH])  # TRL's is that of an answer; ours is per token everywhere
        loss = told["policy_loss"] + self.args.vf_coef * told["value_loss"]
        super().log({"loss": loss, **told, **self._rewards.told}, *given)

    def _learned(self) -> dict[str, torch.Tensor]:
        parameters = self.model.named_parameters()
        return {name: weight for name, weight in parameters if weight.requires_grad}

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Save, seal, report; ends the process where SIGTERM asked for it, which PPOTrainer's loop would not do."""
        folder, step = Path(self.args.output_dir), self.state.global_step
        draft = folder / f"checkpoint-{step}"
        draft.mkdir(parents=True, exist_ok=True)
        save_file(
            {name: weight.detach().cpu().contiguous() for name, weight in self._learned().items()}, draft / LEARNED
        )
        for name, part in (("optimizer.pt", self.optimizer), ("scheduler.pt", self.lr_scheduler)):
            torch.save(part.state_dict(), draft / name)
        (draft / STATE).write_text(json.dumps({"step": step}), encoding="utf-8")
        checkpoints.seal(draft, folder / str(step))
        checkpoints.keep_newest(folder, KEPT)
        self.report.events.checkpoint(step, f"{folder.name}/{step}")
        if self.report.stop.requested:
            raise SystemExit(signals.TERMINATED)

    def _restore(self, resume: Path, scratch: Path) -> None:
        """Take up a checkpoint's state; ``checkpoint_unreadable`` where it is damaged or another training's."""
        shutil.rmtree(scratch, ignore_errors=True)
        checkpoints.restore(resume, scratch)
        learned = self._learned()
        try:
            kept = load_file(scratch / LEARNED)
            if {name: one.shape for name, one in kept.items()} != {name: one.shape for name, one in learned.items()}:
                raise ValueError("it belongs to a training with other parameters")
            done = int(json.loads((scratch / STATE).read_text(encoding="utf-8"))["step"])
            for name, part in (("optimizer.pt", self.optimizer), ("scheduler.pt", self.lr_scheduler)):
                part.load_state_dict(torch.load(scratch / name, map_location="cpu", weights_only=True))
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            checkpoints.unreadable(resume.name, str(error))
        for name, weight in learned.items():
            weight.data.copy_(kept[name])
        shutil.rmtree(scratch)
        self._questions.done = self.report.done = done
        self.args.num_total_batches = self.report.steps - done
