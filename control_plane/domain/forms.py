"""What a model is, technically, where it matters for more than its name."""

REWARD = "reward"  # scores answers instead of writing them: nothing of it is packaged, deployed or evaluated
ON_A_MODEL = frozenset({"adapter", REWARD})  # small additions: whoever reads one needs the model below it, too
ALL = ("base", "adapter", "merged", "gguf", REWARD)
