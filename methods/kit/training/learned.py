"""The weights that are trained, as a file: for the best state, and where PEFT keeps only what comes out of them.

Of P-tuning PEFT saves the prompt that its encoder makes and not the encoder, from which alone training could go on.
"""

from pathlib import Path
from typing import Any

FILE = "learned.safetensors"


def save(model: Any, path: Path) -> None:
    """Write all weights of ``model`` that are trained; a file that is there is replaced at once."""
    from safetensors.torch import save_file

    weights = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    new = path.with_name(f"{path.name}.new")
    save_file({name: weight.detach().cpu().clone().contiguous() for name, weight in weights.items()}, new)
    new.replace(path)


def load(model: Any, path: Path) -> None:
    """Give ``model`` the weights of such a file, in place."""
    from safetensors.torch import load_file

    kept = load_file(path)
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            weight.data.copy_(kept[name])


def write(model: Any, checkpoint: Path) -> None:
    """Put the weights into a checkpoint where it has only what comes out of them."""
    config = getattr(model, "active_peft_config", None)
    if config is not None and config.is_prompt_learning:
        save(model, checkpoint / FILE)


def read(model: Any, checkpoint: Path) -> None:
    """Take the weights up again, where a checkpoint has them."""
    if (checkpoint / FILE).is_file():
        load(model, checkpoint / FILE)
