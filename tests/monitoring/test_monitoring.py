"""Alert rules and dashboard: valid by Prometheus' own tool, about metrics that exist, and each one explained."""

import json
import pathlib
import re
import shutil
import subprocess

import pytest

from yunliao.adapters.metrics import PrometheusMetrics

ROOT = pathlib.Path(__file__).parents[2]
RULES = ROOT / "monitoring" / "alerts.yml"
DASHBOARD = ROOT / "monitoring" / "dashboard.json"
PAGES = [ROOT / "docs" / "alerts.md", ROOT / "docs" / "alerts.zh-CN.md"]


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if not found:
        pytest.skip(
            "promtool is missing: it is in Debian's package `prometheus` (.ci/run takes only this file from it)"
        )
    return found


def known() -> set[str]:
    """Names as a scrape shows them."""
    metrics = PrometheusMetrics()
    metrics.turn_ended("complete", "", 1.0)
    metrics.turn_used(5, 40, 7)
    metrics.moderation("wechat", "pass", 0.1)
    metrics.relay_error("relay_timeout")
    metrics.relay_attempt("main", "success")
    metrics.relay_state("main", "closed")
    metrics.relay_hedge("won")
    metrics.relay_continued("complete")
    metrics.listeners("poll", 1)
    metrics.credits_refused("daily_limit")
    return set(re.findall(r"^(yunliao_\w+)", metrics.render()[0].decode(), re.MULTILINE))


def alerts() -> list[str]:
    return re.findall(r"- alert: (\w+)", RULES.read_text("utf-8"))


def expressions() -> list[str]:
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


def run(*words: object) -> str:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, cwd=RULES.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_rules_are_valid_and_fire_when_they_should(promtool: str) -> None:
    assert "rules found" in run(promtool, "check", "rules", RULES)
    assert "SUCCESS" in run(promtool, "test", "rules", RULES.with_name("alerts.test.yml"))


def test_every_alert_is_seen_quiet_and_seen_firing() -> None:
    told = RULES.with_name("alerts.test.yml").read_text("utf-8")
    for alert in alerts():
        uses = re.findall(rf"alertname: {alert}\b.*?exp_alerts: (\[\]|\[\{{)", told, re.DOTALL)
        assert "[]" in uses and "[{" in uses, alert


def test_every_panel_asks_a_valid_question(promtool: str, tmp_path: pathlib.Path) -> None:
    asked = expressions()
    assert len(asked) > 20
    rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(asked)]
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))  # JSON is YAML
    assert f"{len(asked)} rules found" in run(promtool, "check", "rules", file)


def test_only_metrics_that_exist_are_asked_for() -> None:
    there = known()
    for text in (RULES.read_text("utf-8"), *expressions()):
        for name in re.findall(r"\b(yunliao_\w+)", text):
            assert name in there, name


def test_every_metric_has_a_panel() -> None:
    shown = " ".join(expressions())
    bare = {re.sub(r"_(bucket|sum|count|created|total)$", "", name) for name in known()}
    assert [name for name in sorted(bare) if name not in shown] == []


def test_panels_do_not_cover_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24 and not taken & cells, panel["title"]
        taken |= cells


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_alert_is_explained(page: pathlib.Path) -> None:
    assert sorted(re.findall(r"^### (Yunliao\w+)", page.read_text("utf-8"), re.MULTILINE)) == sorted(alerts())
