"""Reading a GGUF file: its header first, then its weights as a Hugging Face folder in bfloat16."""

from pathlib import Path
from typing import Any

import gguf_header
from kit.events import fail


def check(path: Path) -> dict[str, Any]:
    """Refuse a file that is no whole GGUF model; return its architecture and licence.

    Codes: ``gguf_corrupt`` and ``model_without_tokenizer``.
    """
    try:
        gguf_header.check(path)
    except ValueError as error:
        _corrupt(path, str(error))
    from gguf import GGUFReader

    try:
        reader = GGUFReader(path)
        texts = {name: reader.get_field(name) for name in ("general.architecture", "general.license")}
        facts = {name: None if field is None else field.contents() for name, field in texts.items()}
        end = max((tensor.data_offset + tensor.n_bytes for tensor in reader.tensors), default=0)
    except (ValueError, LookupError, ArithmeticError, MemoryError, TypeError) as error:
        _corrupt(path, str(error).splitlines()[0] if str(error) else type(error).__name__)
    if not end or end > path.stat().st_size:
        _corrupt(path, "its weights are cut off")
    if reader.get_field("tokenizer.ggml.model") is None:
        fail("model_without_tokenizer", f"There is no tokenizer in {path.name}.", path=path.name)
    return {"architecture": facts["general.architecture"], "licence": facts["general.license"]}


def _corrupt(path: Path, reason: str) -> None:
    fail("gguf_corrupt", f"{path.name} is damaged: {reason}", file=path.name, reason=reason)


def save_as_folder(path: Path, architecture: str, target: Path) -> Any:
    """Write the file's weights, dequantized to bfloat16, and its tokenizer as a Hugging Face folder; the tokenizer.

    Refuses an architecture that transformers cannot read from GGUF with ``gguf_architecture_unknown``.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source = {"gguf_file": path.name, "local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(path.parent, **source)
        model = AutoModelForCausalLM.from_pretrained(path.parent, dtype=torch.bfloat16, **source)
    except (ValueError, NotImplementedError, KeyError) as error:
        text = f"A {architecture} model cannot be read from a GGUF file: {error}"
        fail("gguf_architecture_unknown", text, architecture=architecture, reason=str(error))
    # transformers marks a model from GGUF as quantized, and then does not save it, although it holds plain weights now.
    model.hf_quantizer = None
    model.is_quantized = False
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)
    return tokenizer
