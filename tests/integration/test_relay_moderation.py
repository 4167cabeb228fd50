"""The third layer over a real connection."""

from collections.abc import Iterator

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.wechat_server import FakeApi, Reply, running
from yunliao.adapters.relay_moderation import RelayModerator
from yunliao.domain.principal import Principal
from yunliao.errors import ModerationUnavailable

CALLER = Principal(openid="o1", appid="wx1")


@pytest.fixture
def server() -> Iterator[FakeApi]:
    with running() as api:
        yield api


def ask(server: FakeApi, seen: list[str]) -> RelayModerator:
    return RelayModerator(
        server.url + "/v1", "sk-canary", FakeClock(), lambda layer, outcome, seconds: seen.append(outcome), model="m"
    )


@pytest.mark.parametrize(("flags", "suggest"), [([False], "pass"), ([True], "risky"), ([False, True], "risky")])
def test_flagged_is_risky(server: FakeApi, flags: list[bool], suggest: str) -> None:
    seen: list[str] = []
    server.replies = [Reply({"results": [{"flagged": flag} for flag in flags]}, sidecar=False)]
    moderator = ask(server, seen)
    verdict = moderator.check("要检查的话", CALLER)
    moderator.close()
    assert (verdict.suggest, verdict.layer, seen) == (suggest, "relay", [suggest])
    (asked,) = server.asked
    assert asked.path == "/v1/moderations" and asked.json == {"input": "要检查的话", "model": "m"}
    assert asked.headers["authorization"] == "Bearer sk-canary"


@pytest.mark.parametrize(
    "reply",
    [
        Reply({"results": []}),
        Reply({"results": [{}]}),
        Reply({"results": [{"flagged": "false"}]}),
        Reply({"results": [{"flagged": False}, {}]}),
        Reply({"results": {"flagged": False}}),
        Reply([]),
        Reply(raw=b"no"),
        Reply({"results": [{"flagged": False}]}, status=500),
        Reply({"error": {"message": "sk-canary"}}, status=401),
        Reply(cut=True),
    ],
)
def test_everything_else_fails_closed(server: FakeApi, reply: Reply, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[str] = []
    server.replies = [reply]
    moderator = ask(server, seen)
    with pytest.raises(ModerationUnavailable) as failed:
        moderator.check("要检查的话", CALLER)
    moderator.close()
    assert len(seen) == 1 and seen[0] in ("garbled", "http", "unreachable")
    assert "sk-canary" not in caplog.text + failed.value.detail
