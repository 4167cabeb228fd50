"""Who is calling: identity headers the platform injects, forged ones it takes away (platform.md §3, §3.1)."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

APPID = "wx0000000000local"
SHARED_APPID = "wx000000000shared"
ENVIRONMENT = "local-env"
SERVICE = "yunliao"
TWO_HOURS = 7200.0

HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "expect",
        "upgrade",
    }
)


def openid_of(name: str, appid: str = APPID) -> str:
    """The 28-character openid of a local user: always the same for one name and mini-program, as on the platform."""
    digest = hashlib.sha256(f"{appid}:{name}".encode("utf-8", "surrogateescape")).digest()
    return "o" + base64.urlsafe_b64encode(digest).decode().rstrip("=")[:27]


def new_call_id() -> str:
    """A request id in the platform's way of writing one: milliseconds and a random fraction."""
    return f"{int(time.time() * 1000)}-0.{secrets.randbelow(10**16):016d}"


def is_identity(name: str) -> bool:
    """Whether a header name belongs to the platform, in any spelling a container might read as `HTTP_X_WX_…`."""
    return name.lower().replace("_", "-").startswith("x-wx-")


def passed_on(
    headers: Iterable[tuple[str, str]], *, strip_identity: bool, pass_underscore: bool
) -> list[tuple[str, str]]:
    """The client's headers that reach the container.

    Taken away: hop-by-hop headers, the gateway's own `X-Local-*`, forwarding headers, names with an underscore
    (unless `pass_underscore`, which tests that the container drops them itself), and `x-wx-*` if `strip_identity`.
    """
    kept = []
    for name, value in headers:
        lowered = name.lower()
        if (
            lowered in HOP_BY_HOP
            or lowered.startswith("x-local-")
            or lowered in ("host", "content-length", "x-forwarded-for")
        ):
            continue
        if "_" in name:
            if pass_underscore:
                kept.append((name, value))
            continue
        if strip_identity and is_identity(name):
            continue
        kept.append((name, value))
    return kept


@dataclass(frozen=True)
class Caller:
    """A local user of the mini-program, or of another one that shares this environment (resource sharing)."""

    name: str
    shared: bool = False

    @property
    def appid(self) -> str:
        return SHARED_APPID if self.shared else APPID

    @property
    def openid(self) -> str:
        return openid_of(self.name, self.appid)

    def headers(self, call_id: str, *, source: str = "wx_client", exclude: str = "") -> list[tuple[str, str]]:
        """The headers the platform adds. `exclude` is the client's `X-WX-EXCLUDE-CREDENTIALS` (platform.md §3)."""
        left_out = {part.strip().lower() for part in exclude.split(",")}
        prefix = "X-WX-FROM-" if self.shared else "X-WX-"
        added = [("X-WX-ENV", ENVIRONMENT), ("X-WX-SOURCE", source), ("X-WX-CALL-ID", call_id)]
        if self.shared:
            added.append((prefix + "APPID", SHARED_APPID))
        added.append(("X-WX-APPID", APPID))
        if "openid" not in left_out:
            added.append((prefix + "OPENID", self.openid))
        return added


@dataclass
class Visits:
    """When each openid was last seen at the gateway, for the two-hour rule of msg_sec_check (platform.md §5.1)."""

    seen: dict[str, tuple[str, float]] = field(default_factory=dict)

    def note(self, openid: str, appid: str = APPID) -> None:
        """Remember that this user of this mini-program was here now."""
        self.seen[openid] = (appid, time.monotonic())

    def appid_of(self, openid: str) -> str:
        """The mini-program an openid belongs to, empty if it was never seen."""
        return self.seen.get(openid, ("", 0.0))[0]

    def recent(self, openid: str, window: float = TWO_HOURS) -> bool:
        """Whether the user was here within the last `window` seconds."""
        visit = self.seen.get(openid)
        return visit is not None and time.monotonic() - visit[1] < window
