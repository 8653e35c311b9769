"""Wishes as people write them, in three languages."""

import json
from typing import Any

from control_plane.domain.wishes.examples import Example

Wish = tuple[str, list[Example]]


def _records(questions: list[str], answers: list[dict[str, Any]]) -> list[Example]:
    return [Example(one, json.dumps(two, ensure_ascii=False)) for one, two in zip(questions, answers, strict=True)]


_TICKETS: list[dict[str, Any]] = [
    {"category": "billing", "urgency": "high", "customer_number": "K-20417"},
    {"category": "technical", "urgency": "low"},
    {"category": "delivery", "urgency": "low", "customer_number": "K-118"},
    {"category": "billing", "urgency": "low"},
    {"category": "technical", "urgency": "high", "customer_number": "K-90"},
]
MAILS: dict[str, Wish] = {
    "en": (
        "Turn each mail into a ticket: category, urgency (high, normal or low), customer number if there is one.",
        _records(
            [
                "You charged me twice! Customer K-20417, I need the money today.",
                "The app closes now and then. No hurry.",
                "When does my parcel arrive? K-118",
                "Please send the invoice again some time.",
                "Nothing works any more, the whole team waits. K-90",
            ],
            _TICKETS,
        ),
    ),
    "de": (
        "Mache aus jeder Mail ein Ticket: Anliegen, Dringlichkeit und Kundennummer, falls vorhanden.",
        _records(
            [
                "Sie haben doppelt abgebucht! Kunde K-20417, ich brauche das Geld heute.",
                "Die App schließt sich ab und zu. Eilt nicht.",
                "Wann kommt mein Paket? K-118",
                "Bitte schicken Sie die Rechnung irgendwann noch einmal.",
                "Nichts geht mehr, das ganze Team wartet. K-90",
            ],
            _TICKETS,
        ),
    ),
    "zh": (
        "把每封邮件转换成工单：类别、紧急程度、客户编号（如果有）。",
        _records(
            [
                "你们扣了两次款！客户 K-20417，我今天就需要这笔钱。",
                "应用偶尔会闪退，不急。",
                "我的包裹什么时候到？K-118",
                "请有空时再发一次发票。",
                "完全不能用了，全组都在等。K-90",
            ],
            _TICKETS,
        ),
    ),
}
_ASSAYS: list[dict[str, Any]] = [
    {"target": "EGFR", "ic50": 250.0, "unit": "nM", "date": "2026-01-31"},
    {"target": "JAK2", "ic50": 1.5, "unit": "µM", "date": "2026-02-03"},
    {"target": "BRAF", "ic50": 12, "unit": "nM", "date": "2026-02-10"},
]
ASSAYS: dict[str, Wish] = {
    "en": (
        "Write each assay note as a record with target, IC50, unit and date.",
        _records(["EGFR: 250 nM on 31 January", "JAK2 gave 1.5 µM, 3 Feb", "BRAF 12 nM (10 Feb)"], _ASSAYS),
    ),
    "de": (
        "Schreibe jede Assay-Notiz als Eintrag mit Target, IC50, Einheit und Datum.",
        _records(["EGFR: 250 nM am 31. Januar", "JAK2 ergab 1,5 µM, 3. Feb.", "BRAF 12 nM (10. Feb.)"], _ASSAYS),
    ),
    "zh": (
        "把每条检测记录写成条目：靶点、IC50、单位、日期。",
        _records(["EGFR：1 月 31 日 250 nM", "JAK2 为 1.5 µM，2 月 3 日", "BRAF 12 nM（2 月 10 日）"], _ASSAYS),
    ),
}
_WAYS = ["7 * 2 = 14", "5 * 8 = 40", "16 - 14 = 2"]


def _sums(text: str, questions: list[str]) -> Wish:
    return text, [Example(one, two) for one, two in zip(questions, _WAYS, strict=True)]


SUMS: dict[str, Wish] = {
    "en": _sums(
        "Solve each question and show the calculation.",
        ["7 rows of 2 stamps: how many?", "5 rows of 8 stamps: how many?", "16 nuts, 14 are gone. How many are left?"],
    ),
    "de": _sums(
        "Löse jede Aufgabe und zeige die Rechnung.",
        ["7 Reihen mit je 2 Marken: wie viele?", "5 Reihen mit je 8 Marken?", "16 Nüsse, 14 sind weg. Wie viele noch?"],
    ),
    "zh": _sums(
        "解答每道题并写出算式。",
        ["7 排，每排 2 张，共几张？", "5 排，每排 8 张？", "16 个坚果，少了 14 个，还剩几个？"],
    ),
}


def _moods(text: str, pairs: list[tuple[str, str]]) -> Wish:
    return text, [Example(*one) for one in pairs]


SENTIMENTS: dict[str, Wish] = {
    "en": _moods(
        "Say whether a review is positive, negative or neutral.",
        [("Lovely!", "positive"), ("Broke on day one.", "negative"), ("It is a lamp.", "neutral")],
    ),
    "de": _moods(
        "Sage, ob eine Bewertung positiv, negativ oder neutral ist.",
        [("Wunderbar!", "positiv"), ("Am ersten Tag kaputt.", "negativ"), ("Es ist eine Lampe.", "neutral")],
    ),
    "zh": _moods(
        "判断每条评论是正面、负面还是中性。",
        [("太好了！", "正面"), ("第一天就坏了。", "负面"), ("这是一盏灯。", "中性")],
    ),
}
