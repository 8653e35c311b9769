"""From a job to a model that learns by reward: its own answers, scored by checks, the better ones made likelier."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kit import datasets, models, signals
from kit.events import Events
from kit.job import Job
from kit.judging import Judged


def teach(job: Job, out: Path, events: Events, trainer_class: Any, **settings: Any) -> None:
    """Load, learn, save the adapter; exits with 143 after a checkpoint when SIGTERM asks for it.

    `settings` are keywords of the trainer's configuration. Refuses as the rows, the checks and the model do, and a
    question that leaves no room for an answer with `prompt_too_long`.
    """
    from kit.training import adapters, course, lean

    course.prepare(job)
    given = job.parameters
    events.progress(0, given["steps"], "loading")
    judged, dataset, base = Judged(given["reward"]), job.datasets["dataset"], job.models["base"]
    read = datasets.read(dataset.train, dataset.format, "train")
    model, tokenizer = models.load_base(base, given["precision"])
    facts = models.card(base)
    model = adapters.lora(model, job, facts)
    lean.lighten(model)
    with signals.deferred() as stop:
        trainer = _trainer(trainer_class, model, tokenizer, read, job, out, events, stop, judged, settings)
        course.run(trainer, job, out, stop)
    events.progress(given["steps"], given["steps"], "saving")
    adapters.save(model, out / "adapter", facts, job.method)
    events.progress(given["steps"], given["steps"], "done")


def _trainer(
    trainer_class: Any, model: Any, tokenizer: Any, read: list[datasets.Row], job: Job, out: Path, events: Events,
    stop: signals.Stop, judged: Judged, settings: dict[str, Any],
) -> Any:  # fmt: skip
    from kit.training import arguments, rewarded
    from kit.training.report import OF_REWARD, Report
    from kit.training.rollouts import Sampling
    from trl import GRPOConfig, RLOOConfig

    given = job.parameters
    longest = model.config.get_text_config().max_position_embeddings - given["max_new_tokens"]
    curves = (*rewarded.ALSO, *(f"reward/{name}" for name in judged.names))
    report = Report(events, stop, given["steps"], curves, own=OF_REWARD)
    group = given["group_size"]
    config_class = GRPOConfig if issubclass(trainer_class, rewarded.RewardedGRPO) else RLOOConfig
    config = config_class(
        **arguments.of(job, out), per_device_train_batch_size=given["prompts_per_step"] * group,
        num_generations=group, max_completion_length=given["max_new_tokens"], temperature=given["temperature"],
        top_p=given["top_p"], beta=0.0, use_vllm=has_vllm(job), **settings,
    )  # fmt: skip
    trainer = trainer_class(
        report=report, model=model, args=config, processing_class=tokenizer, callbacks=[report],
        train_dataset=rewarded.rows(read, tokenizer, longest), reward_funcs=[rewarded.Reward(judged, report)],
        sampling=Sampling(given["max_new_tokens"], given["temperature"], given["top_p"], tokenizer.pad_token_id),
    )  # fmt: skip
    if "ref" in model.peft_config:  # TRL's copy of the adapter; here the reference is the base without one
        model.delete_adapter("ref")
    trainer.beta = given["beta"]  # told after it: else GRPOTrainer makes such a copy
    return trainer


def has_vllm(job: Job) -> bool:
    """Whether vLLM writes the answers: on CUDA, where it is in the environment."""
    return job.devices[0].startswith("cuda") and find_spec("vllm") is not None
