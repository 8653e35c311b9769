"""Dataset rows: reading them, and turning them into the text and the tokens that a model sees."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from kit.events import fail

Message = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """A row as a conversation: what comes before the answer, and the answer that is to be learned or compared.

    `tools` are what the model may call, None where the row says nothing of any; `calls` are those of the answer.
    Instead of an answer there may be `schema`: the form that one is to have, as JSON.
    """

    prompt: list[Message]
    completion: str
    tools: list[dict[str, Any]] | None = None
    calls: list[dict[str, Any]] | None = None
    schema: str = ""

    @property
    def answer(self) -> Message:
        """The answer as a message."""
        said: Message = {"role": "assistant", "content": self.completion}
        return said | {"tool_calls": self.calls} if self.calls else said


def read(path: Path | None, format_: str, part: str) -> list[Row]:
    """Read a ``prompt_completion`` or ``chat`` file of one JSON object a line; refuses as ``parse`` does."""
    return parse(path, format_, part, READERS)


def parse(path: Path | None, format_: str, part: str, readers: dict[str, Callable[[dict[str, Any]], T]]) -> list[T]:
    """Read a file of one JSON object a line with the reader of its format, which raises what is wrong with a row.

    Refuses with ``dataset_part_missing``, ``dataset_empty``, ``dataset_format_unknown`` or ``dataset_row_invalid``
    (naming file, line and reason).
    """
    if path is None:
        fail("dataset_part_missing", f"The dataset has no part {part}.", part=part)
    if format_ not in readers:
        said = f"The dataset format {format_} cannot be used here; {' and '.join(readers)} can."
        fail("dataset_format_unknown", said, format=format_, accepted=list(readers))
    with path.open(encoding="utf-8-sig") as file:
        rows = [_row(path, number, line, readers[format_]) for number, line in enumerate(file, 1) if line.strip()]
    if not rows:
        fail("dataset_empty", f"The file {path.name} has no rows.", file=path.name)
    return rows


def _row(path: Path, number: int, line: str, reader: Callable[[dict[str, Any]], T]) -> T:
    try:
        return reader(json.loads(line))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = f"field {error} is missing" if isinstance(error, KeyError) else str(error)
        said = f"{path.name}, line {number}: {reason}"
        fail("dataset_row_invalid", said, file=path.name, line=number, reason=reason)


def _pair(raw: dict[str, Any]) -> Row:
    prompt, completion = text(raw, "prompt"), text(raw, "completion")
    return Row([{"role": "user", "content": prompt}], completion)


def _chat(raw: dict[str, Any]) -> Row:
    messages = [{"role": text(message, "role"), "content": text(message, "content")} for message in raw["messages"]]
    if len(messages) < 2 or messages[-1]["role"] != "assistant":
        raise ValueError("the messages must end with the assistant's answer to something")
    return Row(messages[:-1], messages[-1]["content"])


def with_tools(raw: dict[str, Any]) -> Row:
    """A row of the format ``chat_with_tools``, whose answer may be calls; raises what is wrong with it."""
    messages = [_turn(message) for message in raw["messages"]]
    if len(messages) < 2 or messages[-1]["role"] != "assistant":
        raise ValueError("the messages must end with the assistant's answer to something")
    if not isinstance(raw["tools"], list):
        raise TypeError("field tools is not a list")
    return Row(messages[:-1], messages[-1]["content"], raw["tools"], messages[-1].get("tool_calls"))


def _turn(message: dict[str, Any]) -> Message:
    kept = {"role": text(message, "role"), "content": text(message, "content")}
    return kept | {name: message[name] for name in ("tool_calls", "tool_call_id", "name") if message.get(name)}


def _asked(raw: dict[str, Any]) -> Row:
    if not isinstance(raw["schema"], dict):
        raise TypeError("field schema is not an object")
    return Row([{"role": "user", "content": text(raw, "prompt")}], "", schema=json.dumps(raw["schema"]))


READERS: dict[str, Callable[[dict[str, Any]], Row]] = {
    "prompt_completion": _pair, "chat": _chat, "prompt_schema": _asked,
}  # fmt: skip


def text(raw: dict[str, Any], field: str) -> str:
    """A field that must hold text; raises KeyError or TypeError."""
    if not isinstance(raw[field], str):
        raise TypeError(f"field {field} is not text")
    return str(raw[field])


def render_prompt(row: Row, tokenizer: Any) -> str:
    """The text before the answer: by the chat template where there is one, else the messages line by line."""
    if tokenizer.chat_template:
        return _told(row, row.prompt, tokenizer, add_generation_prompt=True)
    _refuse_tools(row, row.prompt, "")
    begin = tokenizer.bos_token if tokenizer("")["input_ids"] == [tokenizer.bos_token_id] else ""
    return begin + "\n".join(message["content"] for message in row.prompt) + "\n"


def render_completion(row: Row, tokenizer: Any) -> str:
    """The text of the answer with the template's end of turn, or with the end-of-text token without a template."""
    if tokenizer.chat_template:
        whole = _told(row, [*row.prompt, row.answer], tokenizer)
        prompt = render_prompt(row, tokenizer)
        if whole.startswith(prompt):
            return whole[len(prompt) :].rstrip("\n")
    _refuse_tools(row, [row.answer], "")
    return row.completion + (tokenizer.eos_token or "")


def _told(row: Row, messages: list[Message], tokenizer: Any, **options: Any) -> str:
    """The messages by the template, with the row's tools; refuses with ``chat_template_without_tools``."""
    given = options if row.tools is None else options | {"tools": row.tools}
    told = by_template(messages, tokenizer, **given)
    _refuse_tools(row, messages, told)
    return told


def _refuse_tools(row: Row, messages: list[Message], told: str) -> None:
    """A template that knows nothing of tools leaves them out without a word: then their names are missing."""
    functions = [one["function"] for one in row.tools or ()]
    functions += [call["function"] for message in messages for call in message.get("tool_calls") or ()]
    for name in (str(one["name"]) for one in functions):
        if name not in told:
            said = f"The model's chat template leaves tools out, such as {name}: it cannot learn to call them."
            fail("chat_template_without_tools", said, tool=name)


def by_template(messages: list[Message], tokenizer: Any, **options: Any) -> str:
    """A conversation as text by the model's chat template; refuses with ``chat_template_failed``.

    The template is a program that came with the model; transformers runs it in a sandbox.
    """
    try:
        return str(tokenizer.apply_chat_template(messages, tokenize=False, **options))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 — somebody's program, which may fail in any way
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        fail("chat_template_failed", f"The model's chat template fails: {reason}", reason=reason)


def tokenize(rows: list[Row], tokenizer: Any, max_length: int) -> list[dict[str, list[int]]]:
    """Token ids and the mask of the answer's tokens for each row, each of at most ``max_length`` tokens.

    The prompt is tokenized by itself, as it will be when the model answers. A row that is too long loses the
    beginning of its prompt, never its answer; refuses with ``dataset_answer_too_long`` (naming the row).
    """
    found = []
    for number, (prompt, answer) in enumerate(encoded(rows, tokenizer), 1):
        begin = kept(number, prompt, len(answer), max_length)
        found.append({"input_ids": begin + answer, "completion_mask": [0] * len(begin) + [1] * len(answer)})
    return found


def encoded(rows: list[Row], tokenizer: Any) -> Iterator[tuple[list[int], list[int]]]:
    """(prompt's tokens, answer's tokens) of each row, each tokenized by itself, as when the model answers."""
    prompts = tokenizer([render_prompt(row, tokenizer) for row in rows], add_special_tokens=False)
    answers = tokenizer([render_completion(row, tokenizer) for row in rows], add_special_tokens=False)
    return zip(prompts["input_ids"], answers["input_ids"], strict=True)


def kept(number: int, prompt: list[int], answer: int, max_length: int) -> list[int]:
    """The end of a prompt that fits beside an answer of so many tokens; refuses with ``dataset_answer_too_long``."""
    if answer >= max_length:
        said = f"The answer of row {number} has {answer} tokens; with its prompt it may have {max_length}."
        fail("dataset_answer_too_long", said, row=number, tokens=answer, maximum=max_length)
    return prompt[-(max_length - answer) :]
