"""The pages docs/<language>/checks.md, made from the catalogue; run this file to write them."""

from __future__ import annotations

import json
import tomllib
from typing import Any

from place import ROOT

TEXTS = {
    "en": {
        "title": "Checks: what an answer is scored by",
        "begin": "A check looks at one answer and gives a score from 0 to 1 with a reason. A list of checks, each with "
        "a weight, is a reward that a model learns from, or a set of metrics of an evaluation (**Own metrics**); the "
        "total is the weighted mean. By API it is a list:",
        "reference": "Compared with the expected answer.",
        "head": "| setting | meaning | default |",
        "required": "must be given",
        "none": "none",
        "judge": "**No check asks another model for its opinion.** What scores answers runs where the training "
        "does, in the sandbox of method code: without a network and without anybody's keys. An endpoint would need "
        "both. What a model judges well can be learned instead: a reward model (`reward_model`) learns from pairs "
        "of answers, and PPO takes it as its judge on the same machine.",
        "end": "This page is made from `methods/kit/checks.toml`.",
    },
    "de": {
        "title": "Prüfregeln: wonach eine Antwort bewertet wird",
        "begin": "Eine Prüfregel sieht eine Antwort an und gibt eine Punktzahl von 0 bis 1 mit einem Grund. Eine Liste "
        "von Prüfregeln, jede mit einem Gewicht, ist eine Belohnung, aus der ein Modell lernt, oder eine Reihe von "
        "Metriken einer Auswertung (**Eigene Metriken**); insgesamt zählt das gewichtete Mittel. Über die API ist es "
        "eine Liste:",
        "reference": "Verglichen wird mit der erwarteten Antwort.",
        "head": "| Einstellung | Bedeutung | Vorgabe |",
        "required": "muss angegeben werden",
        "none": "keine",
        "judge": "**Keine Prüfregel fragt ein anderes Modell nach seiner Meinung.** Was Antworten bewertet, läuft "
        "dort, wo trainiert wird, in der Sandbox für Methodencode: ohne Netz und ohne fremde Schlüssel. Ein "
        "Endpunkt bräuchte beides. Was ein Modell gut beurteilt, lässt sich stattdessen lernen: Ein "
        "Belohnungsmodell (`reward_model`) lernt aus Paaren von Antworten, und PPO nimmt es auf demselben Rechner "
        "als Richter.",
        "end": "Diese Seite entsteht aus `methods/kit/checks.toml`.",
    },
    "zh": {
        "title": "检查：答案如何评分",
        "begin": "检查查看一个答案，给出 0 到 1 的分数和理由。一组带权重的检查可以作为模型学习的奖励，"
        "也可以作为评估的指标（**自定义指标**）；总分为加权平均值。在 API 中它是一个列表：",
        "reference": "与预期答案比较。",
        "head": "| 设置 | 含义 | 默认值 |",
        "required": "必须提供",
        "none": "无",
        "judge": "**没有检查会询问另一个模型的意见。** 为答案打分的代码在训练所在之处运行，处于方法代码的沙箱中：没"
        "有网络，也没有任何人的密钥；而调用端点两者都需要。模型擅长判断的内容可以改为学习得到：奖励模型（"
        "`reward_model`）从成对的答案中学习，PPO 可在同一台机器上将其用作评判。",
        "end": "本页由 `methods/kit/checks.toml` 生成。",
    },
}  # fmt: skip
EXAMPLE = """```json
[{"check": "json_schema", "weight": 2, "parameters": {"schema": {"type": "object", "required": ["part", "machine"]}}},
 {"check": "json_fields", "weight": 1, "parameters": {}}]
```"""


def page(language: str) -> str:
    """The whole page in a language."""
    said = TEXTS[language]
    catalogue = tomllib.loads((ROOT / "methods/kit/checks.toml").read_text(encoding="utf-8"))
    parts = [f"# {said['title']}", said["begin"], EXAMPLE]
    for name, check in catalogue["checks"].items():
        more = f" {said['reference']}" if check["reference"] else ""
        parts += [f"## {check['display'][language]} (`{name}`)", check["description"][language] + more]
        if check["parameters"]:
            rows = [_row(parameter, one, language) for parameter, one in check["parameters"].items()]
            parts.append("\n".join([said["head"], "|---|---|---|", *rows]))
    return "\n\n".join([*parts, said["judge"], said["end"]]) + "\n"


def _row(name: str, parameter: dict[str, Any], language: str) -> str:
    said = TEXTS[language]
    needed = "none" if "null" in parameter["type"] else "required"
    default = f"`{json.dumps(parameter['default'])}`" if "default" in parameter else said[needed]
    choices = f" ({', '.join(f'`{one}`' for one in parameter['enum'])})" if "enum" in parameter else ""
    title, description = parameter["title"][language], parameter["description"][language]
    return f"| {title} (`{name}`) | {description}{choices} | {default} |"


if __name__ == "__main__":
    for language in TEXTS:
        (ROOT / "docs" / language / "checks.md").write_text(page(language), encoding="utf-8")
