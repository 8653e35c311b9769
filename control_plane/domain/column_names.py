"""What people call the columns of training data, in English, German and Chinese; and as well-known datasets do."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

MESSAGES, PROMPT, CONTEXT, SYSTEM = "messages", "prompt", "context", "system"
COMPLETION, CHOSEN, REJECTED, LABEL, TEXT = "completion", "chosen", "rejected", "label", "text"
TOOLS, SCHEMA, ASIDE = "tools", "schema", "aside"

_ROLES: Mapping[str, str] = {
    MESSAGES: "messages conversations conversation dialog dialogue dialogs chat nachrichten gespräch unterhaltung"
    " 对话 消息 会话 聊天记录",
    PROMPT: "prompt question instruction query request problem task user frage anfrage aufgabe anweisung eingabe"
    " problemstellung 问题 提问 指令 提示 提示词 题目 用户",
    CONTEXT: "context input passage kontext zusammenhang 上下文 背景 输入",
    SYSTEM: "system systemprompt systemmessage 系统 系统提示",
    COMPLETION: "completion answer answers response output reply target solution assistant groundtruth"
    " reference referenceanswer expected expectedanswer gold antwort musterantwort ausgabe"
    " lösung erwartet 回答 答案 参考答案 标准答案 输出 回复 答复 助手",
    CHOSEN: "chosen preferred better bevorzugt besser 优选 更好 选择",
    REJECTED: "rejected dispreferred worse abgelehnt verworfen schlechter 拒绝 较差",
    LABEL: "label judgement judgment verdict thumbs urteil bewertung 标签 评价 判断",
    TOOLS: "tools functions werkzeuge funktionen 工具 函数",
    SCHEMA: "schema jsonschema answerschema responseschema antwortschema 模式 答案格式",
    TEXT: "text content document body inhalt dokument volltext 文本 内容 正文 全文",
    # what says where a record comes from, and nothing about what is to be learnt
    ASIDE: "id uid uuid guid idx index row nr no number lfdnr nummer rowid url source meta metadata timestamp split"
    " createdat updatedat quelle 编号 序号 来源",
}
_ROLE_OF = {word: role for role, words in _ROLES.items() for word in words.split()}
_UNSPOKEN = re.compile(r"[\W_]+")


def role_of(name: str) -> str:
    """What a column of this name is likely to hold; empty if its name tells nothing."""
    return _ROLE_OF.get(_UNSPOKEN.sub("", unicodedata.normalize("NFKC", name).casefold()), "")


def by_role(names: Iterable[str]) -> dict[str, list[str]]:
    """The names that tell something, under what they tell."""
    found: dict[str, list[str]] = {}
    for name in names:
        if role := role_of(name):
            found.setdefault(role, []).append(name)
    return found
