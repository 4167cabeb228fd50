"""Every line the service can write and every metric is in the tables, with each field, and nothing else is."""

import ast
import inspect
import io
import json
import re
from typing import Any

import msgspec
import pytest

from tests.docs.log_tables import PAGES, ROOT, kind_of, lines, metrics, text_of
from yunliao.adapters.json_lines import told
from yunliao.adapters.logging import JsonTurnLog
from yunliao.adapters.metrics import PrometheusMetrics
from yunliao.domain.summary import NowView, SpanView
from yunliao.domain.tally import Tally

PACKAGE = ROOT / "container" / "yunliao"
EVERY = {"event", "level", "timestamp"}


def written(method: str, **fields: Any) -> dict[str, Any]:
    """The line that a method of the log writes."""
    log = JsonTurnLog()
    log.stream = io.StringIO()
    getattr(log, method)(**fields)
    line: dict[str, Any] = json.loads(log.stream.getvalue())
    return line


def keywords(module: str, call: str) -> set[str]:
    """Names of the arguments that the module gives to that call."""
    tree = ast.parse((PACKAGE / module).read_text("utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(call)]
    assert calls, (module, call)
    return {one.arg for node in calls for one in node.keywords if one.arg}


def full_tally() -> Tally:
    tally = Tally(store_failures=1, takeovers=1, live_max=1)
    tally.check("wechat", "pass", 5)
    tally.asked("main", "success")
    tally.refuse("daily_limit")
    tally.start(900)
    return tally


def samples() -> dict[str, dict[str, Any]]:
    """A whole line of each method of the log but the turn's and the warnings'."""
    return {
        "erased": written("erased", receipt="r", what="account", records=4),
        "fault": written("fault", kind="internal", request_id="x", route="user.send"),
        "service_budget": written("service_budget", state="warning", part=0.9),
        "start": written("started", instance="a", version="1", seconds=1.5),
        "drain": written("drained", instance="a", finished=True, seconds=0.5),
        "tally": written("tally", instance="a", hour=1, version=1, **msgspec.to_builtins(full_tally().aside())),
        "audit": written("audit", seq=1, mac="00", action="login"),
    }


def warnings() -> dict[str, set[str]]:
    """Events of the package's own loggers with their fields, from the places that write them."""
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        for message in re.findall(
            r"\blog\.(?:log|warning|error)\((?:level, )?\s*\"([^\"]+)\"", path.read_text("utf-8")
        ):
            event, fields = told(message)
            found.setdefault(event, set()).update(fields)
    return found


def test_every_method_of_the_log_is_tried_here() -> None:
    methods = {name for name, _ in inspect.getmembers(JsonTurnLog, inspect.isfunction) if not name.startswith("_")}
    assert methods == {
        "turn", "erased", "fault", "service_budget", "started", "drained", "tally", "audit", "warned",
    }  # fmt: skip
    assert set(warnings()) == {
        "moderation_unavailable", "letter_unanswered", "letter_not_sent", "commit_fault", "listener_fault",
    }  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_every_kind_of_line_has_its_table(page: str) -> None:
    assert set(lines(page)) == {"turn", *samples(), *warnings()}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("event", samples())
def test_the_table_of_a_line_has_its_fields_and_no_others(page: str, event: str) -> None:
    line = samples()[event]
    assert line["event"] == event
    assert {name: kind_of(value) for name, value in line.items()} == lines(page)[event]


@pytest.mark.parametrize("page", PAGES)
def test_the_table_of_a_turn_has_the_fields_the_engine_gives(page: str) -> None:
    given = keywords("services/engine.py", "_turn_log.turn") | keywords("services/tally_book.py", "_log.turn")
    assert set(lines(page)["turn"]) == given | EVERY


@pytest.mark.parametrize("page", PAGES)
def test_the_tables_of_warnings_have_their_fields(page: str) -> None:
    for event, fields in warnings().items():
        assert set(lines(page)[event]) == fields | EVERY, event


@pytest.mark.parametrize("page", PAGES)
def test_the_table_of_metrics_is_the_registry(page: str) -> None:
    found = {}
    for collector in PrometheusMetrics()._registry._collector_to_names:
        for family in collector.describe():
            name = family.name + ("_total" if family.type == "counter" else "")
            found[name] = (family.type, tuple(collector._labelnames))  # type: ignore[attr-defined]
    assert metrics(page) == found


@pytest.mark.parametrize("page", PAGES)
def test_every_field_of_the_summary_is_explained(page: str) -> None:
    summary = re.split(r"^## ", text_of(page), flags=re.MULTILINE)[3]
    for view in (NowView, SpanView):
        for field in msgspec.structs.fields(view):
            assert f"`{field.encode_name}`" in summary, field.encode_name


def test_a_warning_is_a_line_like_all_others() -> None:
    assert told("moderation_unavailable layer=wechat outcome=http detail=status=500, see x=1") == (
        "moderation_unavailable",
        {"layer": "wechat", "outcome": "http", "detail": "status=500, see x=1"},
    )
    line = written("warned", level="error", event="letter_not_sent", fields={"turn": "t", "detail": "45015 a b"})
    assert (line["event"], line["level"], line["turn"], line["detail"]) == (
        "letter_not_sent",
        "error",
        "t",
        "45015 a b",
    )
