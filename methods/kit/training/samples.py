"""What the model answers on the way: a few held-out questions, asked again at each measurement."""

from typing import Any

from kit.events import Events

LONGEST = 48  # tokens of an answer
SHOWN = 300  # characters of a question or an answer

Question = tuple[str, list[int]]  # as it is shown, and its tokens as the model is asked


class Samples:
    """Questions for a model that is learning; answered greedily, so that nothing random is drawn."""

    def __init__(self, questions: list[Question], tokenizer: Any, events: Events) -> None:
        self._questions = [(text[-SHOWN:], ids) for text, ids in questions]
        self._tokenizer, self._events = tokenizer, events

    def tell(self, step: int, model: Any) -> None:
        """Report an answer to each question as a message ``sample_answer``; the model's mode is put back."""
        import torch

        events, learning = self._events, model.training
        model.eval()
        for number, (question, ids) in enumerate(self._questions, 1):
            asked = torch.tensor([ids], device=model.device)
            with torch.no_grad():
                said = model.generate(
                    input_ids=asked, attention_mask=torch.ones_like(asked), max_new_tokens=LONGEST, do_sample=False,
                    temperature=None, top_p=None, top_k=None, pad_token_id=self._tokenizer.pad_token_id,
                    eos_token_id=self._ends(model),
                )  # fmt: skip
            answer = self._tokenizer.decode(said[0, len(ids) :], skip_special_tokens=True)[:SHOWN]
            text = f"Step {step}: {question} → {answer}"
            events.message("info", "sample_answer", text, step=step, number=number, question=question, answer=answer)
        model.train(learning)

    def _ends(self, model: Any) -> list[int]:
        own = model.generation_config.eos_token_id
        ids = [*(own if isinstance(own, list) else [own]), self._tokenizer.eos_token_id]
        return sorted({token for token in ids if token is not None})
