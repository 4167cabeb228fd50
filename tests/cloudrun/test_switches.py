"""The switches' own rules, and that docs/local-cloud-run.md shows exactly the switches there are."""

from pathlib import Path

import pytest

from cloudrun.gateway_switches import GATEWAY_SWITCHES
from cloudrun.relay.switches import RELAY_SWITCHES
from cloudrun.switches import Switch, SwitchError, Switches, markdown
from cloudrun.wechat_switches import WECHAT_SWITCHES

PAGE = Path(__file__).parents[2] / "docs" / "local-cloud-run.md"
TABLE = (Switch("on", False, ""), Switch("size", 3, ""), Switch("pace", 1.0, ""), Switch("how", "a", "", ("a", "b")))


@pytest.mark.parametrize(
    "table", [GATEWAY_SWITCHES, WECHAT_SWITCHES, RELAY_SWITCHES], ids=["gateway", "wechat", "relay"]
)
def test_the_page_shows_the_switches_there_are(table):
    assert markdown(table) in PAGE.read_text("utf-8"), "write the table that cloudrun.switches.markdown gives"
    assert len({switch.name for switch in table}) == len(table)


def test_a_change_holds_until_reset():
    switches = Switches(TABLE)
    switches.change({"on": True, "pace": 2})
    assert switches.take()["on"] is True and switches.take()["pace"] == 2.0
    switches.change({"reset": True, "size": 4})
    assert (switches.take()["on"], switches.take()["size"]) == (False, 4)


def test_a_change_for_the_next_requests_is_used_up_by_those_it_matches():
    switches = Switches(TABLE)
    switches.change({"size": 9, "times": 2, "match": "x"})
    sizes = [switches.take(subject)["size"] for subject in ("a", "ax", "b", "xb", "x")]
    assert sizes == [3, 9, 3, 9, 3] and switches.state()["waiting"] == []


def test_the_later_change_wins_and_asking_for_one_switch_uses_up_only_its_own():
    switches = Switches(TABLE)
    switches.change({"size": 8, "times": 1})
    switches.change({"on": True, "times": 1})
    assert switches.consume("on") is True and switches.consume("on") is False
    switches.change({"size": 9, "times": 1})
    assert switches.take()["size"] == 9 and switches.take()["size"] == 3


@pytest.mark.parametrize(
    "order",
    [
        {"on": 1},
        {"size": 1.5},
        {"size": True},
        {"pace": "1"},
        {"how": "c"},
        {"what": 1},
        {"size": 1, "times": 0},
        {"size": 1, "times": True},
        {"size": 1, "match": 3},
    ],
)
def test_nonsense_is_refused_whole(order):
    switches = Switches(TABLE)
    with pytest.raises(SwitchError):
        switches.change({"how": "b"} | order)
    assert switches.take().values == Switches(TABLE).take().values
