"""The two forms of an exported file: JSON for machines, Markdown for people. Both carry the AI label in the content
and the implicit metadata of GB 45438-2025 (platform.md §12): the key `AIGC` with its seven fields.
"""

import re
from datetime import UTC, datetime
from typing import Any

import msgspec

FORMAT = "yunliao-export/1"
BLOCKED = "（未通过内容安全检查 did not pass the content check）"
NOTE = "本文件含人工智能生成的内容，均带有标识。This file holds AI-generated content; each piece of it is labelled."


class _Text:
    """`label`: on every AI text. `provider` (or else the `service`'s name) and the id of the `export` go into the
    metadata."""

    mime = suffix = ""

    def __init__(self, *, label: str, provider: str, service: str, export: str) -> None:
        self.label = label
        self.service = service
        producer = provider or service
        self.aigc = {
            "Label": "1",
            "ContentProducer": producer,
            "ProduceID": export,
            "ReservedCode1": "",
            "ContentPropagator": producer,
            "PropagateID": export,
            "ReservedCode2": "",
        }


class JsonText(_Text):
    """One object with a list a stage."""

    mime, suffix = "application/json", "json"

    def head(self, account: dict[str, Any], stages: list[tuple[str, str]]) -> str:
        """Up to the first stage's records."""
        consents = account.pop("consents")
        opening = {
            "AIGC": self.aigc,
            "note": NOTE,
            "label": self.label,
            "format": FORMAT,
            "service": self.service,
            "account": account,
            "consents": consents,
        }
        return _json(opening)[:-1] + f",\n{_json(stages[0][0])}:["

    def record(self, name: str, title: str, record: dict[str, Any], *, first: bool, fresh: bool) -> str:
        """One element."""
        shown = {key: value for key, value in record.items() if key != "conversation_title"}
        return ("\n" if first else ",\n") + _json(shown)

    def end(self, *, last: bool, following: str) -> str:
        """The end of a list, and the start of the `following` one."""
        return "]" if last else f"],\n{_json(following)}:["

    def tail(self) -> str:
        """The end of the file."""
        return "}\n"


class MarkdownText(_Text):
    """A chapter a conversation, then the lists."""

    mime, suffix = "text/markdown", "md"

    def head(self, account: dict[str, Any], stages: list[tuple[str, str]]) -> str:
        """Metadata as front matter, then the account."""
        lines = [
            "---",
            f"AIGC: {_json(self.aigc)}",
            f"format: {FORMAT}",
            "---",
            "",
            f"# {self.service}",
            "",
            f"> {self.label}：{NOTE}",
            "",
            f"- 账号 Account: {account['id']} ({account['wechat_openid']})",
            f"- 建立 Made: {_time(account['created_at'])}",
        ]
        if account["suspended_until"]:
            lines.append(f"- 暂停至 Suspended until: {_time(account['suspended_until'])}")
        lines += [
            f"- 同意 Consent {_time(one['at'])}: {one['version'] or '撤回 withdrawn'}"
            + (" · 境外处理 overseas" if one["overseas"] else "")
            for one in account["consents"]
        ]
        return "\n".join(lines) + "\n"

    def record(self, name: str, title: str, record: dict[str, Any], *, first: bool, fresh: bool) -> str:
        """One conversation's line, message, or line of a list."""
        if name == "messages":
            return self._message(record, fresh=fresh)
        heading = f"\n## {title}\n\n" if first else ""
        if name == "conversations":
            gone = " · 已删除 deleted" if "deleted_at" in record else ""
            return f"{heading}- {_time(record['created_at'])} {_line(record['title']) or record['id']}{gone}\n"
        shown = {key: value for key, value in record.items() if value is not None}
        told = " · ".join(
            f"{key} {_time(value) if key.endswith(('_at', 'at')) and isinstance(value, int) else _line(str(value))}"
            for key, value in shown.items()
        )
        return f"{heading}- {told}\n"

    def end(self, *, last: bool, following: str) -> str:
        """Nothing: the next chapter has a heading."""
        return ""

    def tail(self) -> str:
        """The label once more, at the end."""
        return f"\n---\n\n> {self.label}\n"

    def _message(self, record: dict[str, Any], *, fresh: bool) -> str:
        lines = []
        if fresh:
            lines += ["", f"## {_line(record['conversation_title']) or record['conversation_id']}"]
        answer = record["role"] == "assistant"
        who = f"AI（{self.label}）" if answer else "我 Me"
        marks = ["已被替换 replaced"] if record.get("replaced") else []
        marks += [str(record[key]) for key in ("state", "end_reason", "error_code") if record.get(key)]
        lines += ["", f"### {who} · {_time(record['created_at'])}" + (f" · {', '.join(marks)}" if marks else ""), ""]
        if record.get("reasoning"):
            lines += [*(f"> {line}" for line in record["reasoning"].splitlines()), ""]
        lines.append(BLOCKED if record["text"] is None else record["text"])
        if answer and record["text"]:
            lines += ["", f"> {self.label}"]
        if record.get("feedback"):
            lines += ["", f"> 我的反馈 My feedback: {_json(record['feedback'])}"]
        return "\n".join(lines) + "\n"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _line(text: str) -> str:
    """On one line, whatever it holds."""
    return re.sub(r"\s+", " ", text).strip()


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
