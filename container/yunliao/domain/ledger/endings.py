"""One rule per ending, as data: what the user pays. docs/credits.md shows this table, the tests are driven by it.

What the upstream charges the operator is another sum (`Metered.upstream`): it counts for the service's own daily limit.
"""

from typing import Literal

import msgspec

from yunliao.domain.events import EndReason, Usage

Pays = Literal["usage", "shown", "nothing"]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """`pays` is `usage` (all tokens, the question's once), `shown` (what is on the screen, as output) or `nothing`."""

    name: str
    pays: Pays
    zh: str
    en: str


COMPLETE = Rule(
    name="complete", pays="usage", zh="按用量收费，多预留的部分退回", en="Pays the usage; the rest comes back"
)
LENGTH = Rule(
    name="length",
    pays="usage",
    zh="按用量收费：达到长度上限，已有内容完整可读",
    en="Pays the usage: the answer reached its longest length and all of it can be read",
)
STOPPED = Rule(
    name="stopped",
    pays="usage",
    zh="只付停止之前的用量，收据写明省下多少",
    en="Pays the usage until the stop; the receipt tells what the stop saved",
)
STOPPED_EARLY = Rule(
    name="stopped_early",
    pays="nothing",
    zh="模型开口之前停止：免费",
    en="Stopped before the model began to answer: free",
)
BLOCKED_INPUT = Rule(
    name="blocked_input",
    pays="nothing",
    zh="问题没有通过检查：没有请求模型，免费",
    en="The question did not pass: no model was asked, free",
)
BLOCKED_OUTPUT = Rule(
    name="blocked_output",
    pays="nothing",
    zh="回答被撤回：看不到的内容不收费，上游费用由运营者承担",
    en="The answer was taken back: nobody pays for what cannot be read; the upstream's charge is the operator's",
)
FAILED_EARLY = Rule(
    name="failed_early",
    pays="nothing",
    zh="没有显示任何文字就失败：免费",
    en="Failed before any text was shown: free",
)
FAILED_LATE = Rule(
    name="failed_late",
    pays="shown",
    zh="中途失败：只付已显示的文字，问题不收费",
    en="Failed after text was shown: pays the text on the screen, not the question",
)
RULES = (COMPLETE, LENGTH, STOPPED, STOPPED_EARLY, BLOCKED_INPUT, BLOCKED_OUTPUT, FAILED_EARLY, FAILED_LATE)
TAKEOVER = (
    "接管不是结局：按上面的结局收一次费。前一实例已显示的文字算作输出，续写时重复发送的内容不收费",
    "A takeover is no ending: the turn pays once, by the rule above. Text shown by the instance that died counts as "
    "output; what the next one repeats to the model is not charged",
)


class Metered(msgspec.Struct, frozen=True, kw_only=True):
    """What a turn used. `usage`: the user's view (the question once), None where no model began to answer; `shown`:
    tokens of what is on the screen; `upstream`: all that upstreams were asked, repetitions included."""

    usage: Usage | None = None
    shown: int = 0
    images: int = 0
    upstream: Usage | None = None


def rule_of(reason: EndReason, code: str, metered: Metered) -> Rule:
    """The rule of an ending; every ending has exactly one."""
    match reason:
        case "complete":
            return COMPLETE
        case "length":
            return LENGTH
        case "stopped":
            return STOPPED if metered.usage is not None or metered.shown else STOPPED_EARLY
        case "blocked":
            return BLOCKED_INPUT if code == "blocked_input" else BLOCKED_OUTPUT
        case "failed":
            return FAILED_LATE if metered.shown else FAILED_EARLY


def charged(rule: Rule, metered: Metered) -> tuple[Usage, int]:
    """The tokens and images that a rule lets the user pay for."""
    if rule.pays == "nothing":
        return Usage(), 0
    shown = Usage(output_tokens=metered.shown, estimated=True)
    if rule.pays == "shown":
        return shown, 0
    return metered.usage or shown, metered.images
