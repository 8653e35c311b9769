"""Whether there is anything to learn from rewards: not while every answer is worth the same."""

from kit.events import Events

CONSTANT_AFTER = 5  # steps in which every answer had the same reward


class Constant:
    """Says once if nothing can be learned, because every answer is as good as any other."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._steps, self._seen = 0, set[float]()

    def watch(self, rewards: list[float]) -> None:
        """Take note of a step's rewards."""
        self._steps += 1
        self._seen.update(rewards)
        if self._steps == CONSTANT_AFTER and len(self._seen) == 1:
            (reward,), events = self._seen, self._events
            said = f"In {CONSTANT_AFTER} steps every answer had the same reward ({reward:.2f}): nothing is learned."
            events.message("warning", "reward_constant", said, steps=CONSTANT_AFTER, reward=round(reward, 4))
