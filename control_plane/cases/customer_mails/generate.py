"""Write the case's sample data: German, English and Chinese mails and where each belongs.

    python -m control_plane.cases.customer_mails.generate [FOLDER]

The same seed gives the same bytes. What training and test part share, and what not, says README.md. What customers
write stands in mails.py.
"""

import random
from pathlib import Path

from control_plane.cases.customer_mails import mails
from control_plane.cases.generating import asked, distinct, prompt_of, run, write_rows

SEED = 20260304
TRAIN_ROWS = 336
TEST_ROWS = 72
QUESTION = "Sort this customer mail (JSON): "

# what the first answer is made from, where the mail says which order it is about
REPLIES = {
    "delivery": "tracking_link",
    "return": "return_label",
    "invoice": "invoice_copy",
    "defect": "repair_offer",
    "cancellation": "cancel_confirmation",
    "account": "password_reset",
}
ASK = "ask_order_number"  # … and where it does not; an account needs none


def row(source: random.Random, part: int, language: str) -> dict[str, str]:
    """A row of the training (0) or the test part (1)."""
    category, urgency = source.choice(list(REPLIES)), source.choice(list(mails.URGENCY[language]))
    number = source.randrange(10001 - part, 99999, 2)  # odd ones in training, even ones in the test part
    is_numbered = category != "account" and source.random() < 0.6
    sentences = [source.choice(mails.CONCERNS[language][category][part])]
    if is_numbered:
        sentences.append(source.choice(mails.NUMBERS[language][part]).format(number=number))
    if words := mails.URGENCY[language][urgency][part]:
        sentences.insert(source.choice((0, len(sentences))), source.choice(words))
    parts = [source.choice(mails.GREETINGS[language][part]), *sentences]
    mail = mails.BETWEEN[language].join(one for one in parts if one)
    reply = REPLIES[category] if is_numbered or category == "account" else ASK
    return asked(QUESTION, mail, {"category": category, "urgency": urgency, "reply": reply})


def write(folder: Path) -> None:
    """Write ``train.jsonl`` and ``test.jsonl`` into a folder: as many mails of each language, mixed."""
    source = random.Random(SEED)
    languages = list(mails.CONCERNS)
    for part, (name, count) in enumerate((("train", TRAIN_ROWS), ("test", TEST_ROWS))):
        rows = [
            one
            for language in languages
            for one in distinct(
                count // len(languages), lambda part=part, language=language: row(source, part, language), prompt_of
            )
        ]
        source.shuffle(rows)
        write_rows(folder / f"{name}.jsonl", rows)


if __name__ == "__main__":
    run(write, __file__)
