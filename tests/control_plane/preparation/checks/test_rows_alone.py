"""The checks that look at each row by itself: what they find, what they leave alone, what they make of it."""

from __future__ import annotations

import string
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.domain.datasets import characters
from control_plane.preparation.blocks import Block, written
from control_plane.preparation.checks import hidden_characters, personal_data, secrets
from control_plane.preparation.checks.empty_answers import EmptyAnswers
from control_plane.preparation.checks.hidden_characters import HiddenCharacters
from control_plane.preparation.checks.personal_data import PersonalData
from control_plane.preparation.checks.secrets import Secrets
from control_plane.preparation.checks.too_long import TooLong

MASKS = ("[MAIL]", "[PHONE]", "[IBAN]", "[CARD]", secrets.MASK)


def block(*prompts: str, completion: str = "ok") -> Block:
    return block_of([{"prompt": prompt, "completion": completion} for prompt in prompts])


def block_of(rows: list[dict[str, Any]]) -> Block:
    return Block(0, rows, [written(row) for row in rows], [characters(row) for row in rows])


PERSONAL = [
    ("Write to anna.berg@werk-nord.de today.", "mail", "Write to [MAIL] today."),
    ("请联系 li.wei@gongsi.com.cn。", "mail", "请联系 [MAIL]。"),
    ("Überweisung an DE89 3704 0044 0532 0130 00 bitte", "iban", "Überweisung an [IBAN] bitte"),
    ("IBAN GB82WEST12345698765432.", "iban", "IBAN [IBAN]."),
    ("FR1420041010050500013M02606 AN", "iban", "[IBAN] AN"),
    ("card 4111 1111 1111 1111 expired", "card", "card [CARD] expired"),
    ("卡号5500005555555559已过期", "card", "卡号[CARD]已过期"),
    ("Amex 3782-822463-10005", "card", "Amex [CARD]"),
    ("Rückruf unter +49 (0)30 1234567", "phone", "Rückruf unter [PHONE]"),
    ("Tel. 0171 2345678, mittags", "phone", "Tel. [PHONE], mittags"),
    ("电话13800138000联系", "phone", "电话[PHONE]联系"),
    ("call (555) 234-5678 now", "phone", "call [PHONE] now"),
    ("au 01 42 68 53 00.", "phone", "au [PHONE]."),
]


@pytest.mark.parametrize(("text", "kind", "masked"), PERSONAL)
def test_personal_data_is_found_and_masked(text: str, kind: str, masked: str) -> None:
    found = list(PersonalData().find(block("nothing here", text)))
    assert [(hit.row, hit.field, hit.params) for hit in found] == [(1, "prompt", {"kinds": [kind]})]
    assert personal_data.masked(text) == masked
    assert personal_data.masked(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "user@example.com asked",  # stands for nobody
        "git@github.com:team/repository.git",
        "The price @ 5 pieces",
        "DE89 3704 0044 0532 0130 01",  # its check digits are wrong
        "XX12 3456 7890 1234 5678",  # of no country
        "4111 1111 1111 1112",  # Luhn's digit is wrong
        "9999 9999 9999 9995",  # nobody issues it
        "On 2024-01-15 at 12:30:45 it stopped",
        "am 15.01.2024 und 03.02.2024",
        "192.168.100.200:8080",
        "Order 20240115-0017, part 4711-0815",
        "Messwerte 0,123 0,456 0,789 1234567,89",
        "π = 3.14159265358979",
        "流水号 202401150017",
    ],
)
def test_what_is_no_personal_data(text: str) -> None:
    assert list(PersonalData().find(block(text))) == []
    assert personal_data.masked(text) == text


LETTERS = "aB3" * 20
SECRETS = [
    ("private_key", "-----BEGIN " + "RSA PRIVATE KEY-----\n" + LETTERS + "\nabc\n-----END RSA PRIVATE KEY-----"),
    ("private_key", "-----BEGIN " + "PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC"),
    ("aws", "AKIA" + "Z7" * 8),
    ("github", "ghp_" + LETTERS[:36]),
    ("github", "github_pat_" + LETTERS[:30]),
    ("gitlab", "glpat-" + LETTERS[:20]),
    ("slack", "xoxb-" + "1234567890-" + LETTERS[:20]),
    ("google", "AIza" + LETTERS[:35]),
    ("model_provider", "sk-" + "proj-" + LETTERS[:40]),
    ("stripe", "sk_live_" + LETTERS[:24]),
    ("hugging_face", "hf_" + LETTERS[:34]),
    ("registry", "npm_" + LETTERS[:36]),
    ("registry", "pypi-AgEI" + LETTERS[:55]),
    ("sendgrid", "SG." + LETTERS[:22] + "." + LETTERS[:43]),
    ("azure", "AccountKey=" + (LETTERS + LETTERS)[:86] + "=="),
    ("signed_token", "eyJ" + LETTERS[:20] + ".eyJ" + LETTERS[:20] + "." + LETTERS[:30]),
    ("address_password", "postgres://maria:h4rd-to-guess@db.intern/lab"),
]


@pytest.mark.parametrize("text", ["\u200d", "a\u200c\u200d", "\u200c\u00ad", "\u200d\U000e0041"])
def test_many_hidden_characters_go_in_few_passes(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    passes = list[int]()

    class Counted:
        def sub(self, instead: str, within: str) -> str:
            passes.append(len(within))
            return pattern.sub(instead, within)

    pattern = hidden_characters._HIDDEN
    monkeypatch.setattr(hidden_characters, "_HIDDEN", Counted())
    assert set(hidden_characters.without(text * 500)) <= {"a"}
    assert len(passes) <= 4


@pytest.mark.parametrize(("kind", "secret"), SECRETS)
@pytest.mark.parametrize("around", ["Use {} here", "Der Schlüssel:\n{}\nist neu", "密钥是{}请保管"])
def test_secrets_are_found_and_masked(kind: str, secret: str, around: str) -> None:
    text = around.format(secret)
    found = list(Secrets().find(block("nothing here", text)))
    assert [(hit.row, hit.params) for hit in found] == [(1, {"kinds": [kind]})]
    masked = secrets.masked(text)
    assert secrets.MASK in masked
    assert secrets.kinds(masked) == []
    assert secret[12:40] not in masked


@pytest.mark.parametrize(
    "text",
    [
        "The key AKIA is short",
        "Donaudampfschifffahrtsgesellschaftskapitän",
        "sk-learn-and-other-libraries-of-python",
        "https://werk.example/a/very-long-path-that-means-nothing/index.html",
        "-----BEGIN CERTIFICATE-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END CERTIFICATE-----",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "校验和 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ],
)
def test_what_is_no_secret(text: str) -> None:
    assert list(Secrets().find(block(text))) == []


@pytest.mark.parametrize(
    ("text", "found", "without"),
    [
        ("in\u200bvisible", ["U+200B"], "invisible"),
        ("invoice\u202egpj.exe", ["U+202E"], "invoicegpj.exe"),
        ("\ufeffAnfang", ["U+FEFF"], "Anfang"),
        ("Wort\u00adtrennung", ["U+00AD"], "Worttrennung"),
        ("nul\x00 und \x08", ["U+0000", "U+0008"], "nul und "),
        ("换\u200b行\u2060符", ["U+200B", "U+2060"], "换行符"),
        ("join\u200der", ["U+200D"], "joiner"),
        ("left\u200eright", ["U+200E"], "leftright"),
        ("ignore \U000e0061\U000e0062 this", ["U+E0061", "U+E0062"], "ignore  this"),
    ],
)
def test_hidden_characters_are_found_and_removed(text: str, found: list[str], without: str) -> None:
    hits = list(HiddenCharacters().find(block("nothing here", text)))
    assert [(hit.row, hit.params) for hit in hits] == [(1, {"characters": ", ".join(found)})]
    assert HiddenCharacters().mend({"prompt": text, "label": True}) == {"prompt": without, "label": True}


@pytest.mark.parametrize(
    "text",
    [
        "Zeile\n\tmit Tabulator\r\n",
        "family 👨‍👩‍👧 and flag 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "می‌خواهم",  # its letters are joined on purpose
        "नमस्‍ते",
        "שלום\u200f (ok)",
        "“Zitat” – 中文。",
        r"a backslash \u0000 that somebody wrote out",
    ],
)
def test_what_is_hidden_for_a_reason_stays(text: str) -> None:
    assert list(HiddenCharacters().find(block(text))) == []
    assert hidden_characters.without(text) == text


@given(st.text(st.characters(codec="utf-8")))
def test_nothing_hidden_is_left_and_it_is_found_in_a_block_too(text: str) -> None:
    cleared = hidden_characters.without(text)
    assert hidden_characters.hidden(cleared) == []
    assert bool(list(HiddenCharacters().find(block(text)))) == bool(hidden_characters.hidden(text))


@given(st.text(st.sampled_from(string.printable + "äß中—\u200b")), st.sampled_from(PERSONAL), st.sampled_from(SECRETS))
def test_a_block_tells_each_row_in_which_something_stands(
    noise: str, personal: tuple[str, str, str], secret: tuple[str, str]
) -> None:
    rows = block(noise, f"{noise} {personal[0]}", noise, f"{noise} {secret[1]}", personal[0])
    for check, kinds in ((PersonalData(), personal_data.kinds), (Secrets(), secrets.kinds)):
        told = [hit.row for hit in check.find(rows)]
        assert told == [number for number, row in enumerate(rows.rows) if kinds(row["prompt"])]


def test_masks_are_masked_no_further() -> None:
    for mask in MASKS:
        assert (personal_data.masked(mask), secrets.masked(mask)) == (mask, mask)


def test_messages_name_the_message() -> None:
    messages = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "mail me: x.y@werk.de"}]
    (hit,) = PersonalData().find(block_of([{"messages": messages}]))
    assert hit.field == "messages[1].content"


@pytest.mark.parametrize(
    "answer", ["-", "…", "N/A", " n/a ", "None", "k. A.", "keine  Angabe", "无", "暂无", "#REF!", "。"]
)
def test_answers_that_say_nothing(answer: str) -> None:
    (hit,) = EmptyAnswers("prompt_completion").find(block("ask", completion=answer))
    assert hit.params == {"answer": answer.strip()}


@pytest.mark.parametrize("answer", ["no", "0", "-5", "nein", "好", "无线电", "nothing is wrong", "✓", "∞"])
def test_answers_that_say_something(answer: str) -> None:
    assert list(EmptyAnswers("prompt_completion").find(block("ask", completion=answer))) == []


def test_an_answer_that_is_not_to_be_learned_may_say_nothing() -> None:
    row = {"prompt": "ask", "completion": "-", "label": False}
    assert list(EmptyAnswers("unpaired_preference").find(block_of([row]))) == []


def test_too_long_in_characters_and_in_tokens() -> None:
    rows = block("a" * 100, "b" * 2000, "c" * 900)
    assert list(TooLong(0, None).find(rows)) == []
    assert [(hit.row, hit.params) for hit in TooLong(400, None).find(rows)] == [
        (1, {"length": 2002, "limit": 1000, "unit": "characters"})
    ]
    counted: list[int] = []

    def count(some: Any) -> list[int]:
        counted.extend(len(row["prompt"]) for row in some)
        return [len(row["prompt"]) // 2 for row in some]

    assert [hit.row for hit in TooLong(800, count).find(rows)] == [1]
    assert counted == [2000, 900]  # a row of a hundred bytes cannot have more tokens


ENDLESS = {
    "digits behind an area code": "030 " + "1" * 500_000 + "a",
    "digits in pairs": "030 " + "11 " * 200_000,
    "calls abroad": "+49 (1) / " * 50_000,
    "zeros": "0" * 500_000,
    "cards": "4111 " * 100_000,
    "accounts": "DE12 " * 100_000,
    "at-signs": "a@a." * 150_000,
    "letters before an at-sign": "a." * 250_000 + "@",
    "tokens that never end": "-eyJ" * 150_000,
    "keys of a provider": "-sk" * 200_000,
    "keys that begin": "-----BEGIN PRIVATE KEY-----" * 20_000,
    "keys that end": "-----BEGIN PRIVATE KEY-----" + "-----END " * 60_000,
    "capital letters": "-----BEGIN " + "A" * 500_000,
    "addresses": "://a:b" * 100_000,
    "joiners": "\u200d" * 300_000,
    "tags and joiners": "a\u200d\U000e0030" * 150_000,
    "escapes": "\\n" * 200_000 + "sk-",
}


@pytest.mark.parametrize("attack", ENDLESS)
def test_no_text_takes_a_pattern_longer_than_its_length_asks_for(attack: str) -> None:
    """Half a megabyte of whatever a pattern may try again and again: what is not linear takes minutes here."""
    start = time.thread_time()
    for looks in (personal_data.kinds, personal_data.masked, secrets.kinds, secrets.masked_as_written):
        looks(ENDLESS[attack])
    hidden_characters.without(ENDLESS[attack])
    assert time.thread_time() - start < 5


def test_a_secret_behind_an_escape_is_masked_as_it_is_written() -> None:
    token = "ghp_" + "a" * 36
    for before in ("\\n", "\\u00e4", '\\"', "x ", "\\\\"):
        written_so = f'{{"prompt": "see{before}{token}\\n{before}{token} too'
        assert secrets.masked_as_written(written_so) == written_so.replace(token, secrets.MASK)
