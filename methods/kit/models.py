"""Model folders: what may be loaded, what is in them, loading them offline, and their ``model.json``."""

import json
import math
from pathlib import Path
from typing import Any

from kit import job as jobs
from kit import packaging, weights
from kit.events import fail

PICKLES = frozenset({".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt"})
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model")
_DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}


def check_folder(folder: Path) -> dict[str, Any]:
    """Refuse a complete model's folder that cannot be loaded safely; return its ``config.json``.

    Looks at names and headers only. Codes: ``model_config_unreadable``, ``model_remote_code``,
    ``model_pickle_weights``, ``model_without_weights``, ``model_without_tokenizer``.
    """
    config = _json(folder / "config.json")
    tokenizer = _json(folder / "tokenizer_config.json") if (folder / "tokenizer_config.json").is_file() else {}
    code = sorted(path.name for path in folder.glob("*.py"))
    if code or "auto_map" in config or "auto_map" in tokenizer:
        file = code[0] if code else "config.json"
        fail("model_remote_code", f"The model needs program code of its own ({file}), which is never run.", file=file)
    check_weights(folder, "*.safetensors")
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        fail("model_without_tokenizer", f"There is no tokenizer beside the model in {folder.name}.", path=folder.name)
    return config


def check_weights(folder: Path, pattern: str) -> None:
    """Refuse a folder without weights matching ``pattern``, saying so when it has only pickled ones."""
    if any(folder.glob(pattern)):
        return
    pickles = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in PICKLES)
    if pickles:
        text = f"The weights in {pickles[0]} are in a format that can run code (pickle); only safetensors is read."
        fail("model_pickle_weights", text, file=pickles[0])
    fail("model_without_weights", f"There are no safetensors weights in {folder.name}.", path=folder.name)


def describe(folder: Path) -> dict[str, Any]:
    """The facts of a complete model's folder that ``model.json`` records, read from its files without loading it.

    Refuses as ``check_folder`` does, and weights that are damaged with ``model_weights_corrupt``.
    """
    config = check_folder(folder)
    text = config.get("text_config") or {}
    names = ("max_position_embeddings", "n_positions", "n_ctx")
    lengths = (part.get(name) for part in (config, text) for name in names)
    tensors = [entry for path in sorted(folder.glob("*.safetensors")) for entry in weights.tensors(path)]
    dtypes = [entry["dtype"] for entry in tensors]
    return {
        "architecture": (config.get("architectures") or [None])[0],
        "parameter_count": sum(math.prod(entry["shape"]) for entry in tensors),
        "context_length": next((length for length in lengths if length), None),
        "has_chat_template": _has_chat_template(folder),
        "packaging_problem": packaging.problem(folder, config),
        "dtype": _DTYPES.get(max(set(dtypes), key=dtypes.count)) if dtypes else None,
        "shape": _shape({**config, **text}),
    }


def _shape(config: dict[str, Any]) -> dict[str, int | None]:
    """The sizes that memory and time follow from; null where a configuration does not say one by a usual name."""

    def size(*names: str) -> int | None:
        found = (config.get(name) for name in names)
        return next((value for value in found if isinstance(value, int) and value > 0), None)

    hidden, heads = size("hidden_size", "n_embd", "d_model"), size("num_attention_heads", "n_head")
    between = size("intermediate_size", "n_inner", "ffn_dim") or (4 * hidden if hidden else None)
    return {
        "hidden_size": hidden,
        "layers": size("num_hidden_layers", "n_layer"),
        "intermediate_size": between,
        "vocabulary": size("vocab_size"),
        "heads": heads,
        "key_value_heads": size("num_key_value_heads") or heads,
    }


def card(model: jobs.Model) -> dict[str, Any]:
    """What is known of a model: its own ``model.json``, or, for a folder from elsewhere, what its files say."""
    path = model.path / "model.json"
    if path.is_file():
        return _json(path)
    if model.base is not None:
        return card(model.base)
    return {**describe(model.path), "licence": None, "source": None}


def write_card(folder: Path, facts: dict[str, Any], **changes: Any) -> None:
    """Write ``model.json`` into a model's folder from another model's facts and what differs."""
    names = ("form", "architecture", "parameter_count", "context_length", "has_chat_template", "packaging_problem")
    merged = {**facts, **changes}
    content = {name: merged.get(name) for name in (*names, "licence", "source", "dtype", "shape")}
    (folder / "model.json").write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def load_tokenizer(folder: Path) -> Any:
    """Load a folder's tokenizer offline, with a padding token; refuses with ``model_without_tokenizer``."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 — the tokenizers library raises no narrower one for a damaged file
        fail("model_without_tokenizer", f"The tokenizer in {folder.name} cannot be loaded: {error}", path=folder.name)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_base(model: jobs.Model, dtype: str = "auto", **options: Any) -> tuple[Any, Any]:
    """Load a base or merged model, or the base of an adapter, offline: (transformers model, tokenizer).

    ``dtype`` is a torch dtype's name, or "auto" for the stored one, where it can be computed quickly; ``options`` are
    more of ``from_pretrained``. Refuses as ``check_folder`` does.
    """
    from transformers import AutoModelForCausalLM

    folder = (model.base or model).path
    check_folder(folder)
    tokenizer = load_tokenizer(folder)
    loaded = AutoModelForCausalLM.from_pretrained(
        folder, dtype=quick(dtype), local_files_only=True, use_safetensors=True, trust_remote_code=False, **options
    )
    return loaded, tokenizer


def quick(dtype: str) -> str:
    """float32 in place of "auto" on a processor without instructions for bfloat16 (x86 before AVX-512, for one).

    torch multiplies bfloat16 there one by one: measured, sixty times as long as float32.
    """
    import torch

    if dtype != "auto" or torch.cuda.is_available():
        return dtype
    supported = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return "auto" if supported is not None and supported() else "float32"


def add_adapter(base: Any, adapter: jobs.Model) -> Any:
    """Wrap a loaded base model with an adapter (a ``PeftModel``); refuses pickled or missing adapter weights."""
    from peft import PeftModel

    check_weights(adapter.path, "adapter_model.safetensors")
    return PeftModel.from_pretrained(base, adapter.path, local_files_only=True)


def without_adapter(adapted: Any) -> Any:
    """The base model again, as it was before ``add_adapter``."""
    is_prompt = adapted.active_peft_config.is_prompt_learning  # stands in front and changes nothing inside
    return adapted.get_base_model() if is_prompt else adapted.unload()


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        text = f"The model's {path.name} is missing or cannot be read: {reason}"
        fail("model_config_unreadable", text, file=path.name, reason=reason)
    if not isinstance(content, dict):
        text = f"The model's {path.name} does not hold a JSON object."
        fail("model_config_unreadable", text, file=path.name, reason="no object")
    return content


def _has_chat_template(folder: Path) -> bool:
    config = folder / "tokenizer_config.json"
    return (folder / "chat_template.jinja").is_file() or (config.is_file() and bool(_json(config).get("chat_template")))
