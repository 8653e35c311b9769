"""Let a base model try answers and learn from their rewards step by step, with a second model that foresees them (PPO).

PYTHONPATH=methods python methods/ppo/train.py --job job.json --out out/
"""

from pathlib import Path
from typing import Any

from kit import datasets, entry, models, reward_models, signals
from kit.events import Events, fail
from kit.job import Job


def main(job: Job, out: Path, events: Events) -> None:
    """Load the model and its critic, learn from the model's own answers, save the model's adapter."""
    from kit.training import adapters, course

    course.prepare(job)
    steps = job.parameters["steps"]
    events.progress(0, steps, "loading")
    dataset, base = job.datasets["dataset"], job.models["base"]
    read = datasets.read(dataset.train, dataset.format, "train")
    policy, tokenizer = models.load_base(base, job.parameters["precision"])
    facts = models.card(base)
    policy = adapters.lora(policy, job, facts)

    with signals.deferred() as stop:
        trainer = make_trainer(policy, tokenizer, read, job, out, events, stop)
        trainer.go(job.resume, out / "restored")
    events.progress(steps, steps, "saving")
    adapters.save(policy, out / "adapter", facts, "ppo")
    events.progress(steps, steps, "done")


def make_trainer(
    policy: Any,
    tokenizer: Any,
    read: list[datasets.Row],
    job: Job,
    out: Path,
    events: Events,
    stop: signals.Stop,
) -> Any:
    """TRL's loop and losses over our questions and rewards, reporting each step."""
    import critics
    from course import CURVES, ResumablePPO, StepReport
    from kit.training import arguments
    from kit.training.report import OF_REWARD
    from questions import Questions
    from rewards import Rewards
    from trl.experimental.ppo import PPOConfig

    given, steps = job.parameters, job.parameters["steps"]
    if not given["reward"] and "judge" not in job.models:
        fail("reward_missing", "Nothing says which answers are good: choose checks, a reward model, or both.")
    if given["prompts_per_step"] % given["parts"]:
        size, parts = given["prompts_per_step"], given["parts"]
        fail("parts_uneven", f"{size} questions per step do not make {parts} equal parts.", answers=size, parts=parts)
    rewards = Rewards(given["reward"], job.models.get("judge"), policy.device, events)
    report = StepReport(events, stop, steps, (*CURVES, *rewards.curves), own=OF_REWARD)
    size = given["prompts_per_step"]
    longest = policy.config.get_text_config().max_position_embeddings - given["max_new_tokens"]
    questions = Questions(read, tokenizer, longest, size, job.seed)
    tokenizer.pad_token_id = questions.padding
    critic = critics.beside(reward_models.load_base(job.models["base"], given["precision"])[0], job)
    config = PPOConfig(
        **arguments.of(job, out) | {"per_device_train_batch_size": size, "max_steps": steps},
        gradient_accumulation_steps=1, total_episodes=steps * size, num_sample_generations=0,
        local_rollout_forward_batch_size=size, response_length=given["max_new_tokens"],
        temperature=given["temperature"], num_ppo_epochs=given["rounds"], num_mini_batches=given["parts"],
        kl_coef=given["kl_penalty"], cliprange=given["clip"], vf_coef=given["value_weight"], stop_token="eos",
    )  # fmt: skip
    return ResumablePPO(
        report=report, rewards=rewards, questions=questions, model=policy, ref_model=None, args=config,
        value_model=critic, reward_model=rewards.as_model(questions, tokenizer), processing_class=tokenizer,
        train_dataset=questions.rows, callbacks=[report],
    )  # fmt: skip


if __name__ == "__main__":
    entry.run(main, __doc__)
