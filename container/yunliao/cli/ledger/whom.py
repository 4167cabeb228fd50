"""What a command line says about people, sums and times."""

import argparse
import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from yunliao.cli import whole_id
from yunliao.domain.ledger.prices import LARGEST
from yunliao.errors import InvalidRequest, NotFound

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

CREDIT = 1_000_000
"""Micro-credits."""
DAY_MS = 86_400_000
CHINA = timezone(timedelta(hours=8))


def options(parser: Any) -> None:
    """Options that name one user."""
    parser.add_argument("--user", default="", type=whole_id, help="id as /v1/me shows it, or the whole one")
    parser.add_argument("--openid", default="", help="openid of somebody who has used the service")
    parser.add_argument("--appid", default="", help="their mini-program; may be left out when only one is allowed")


def user(services: "Services", options: argparse.Namespace) -> str:
    """The whole id. Raises `InvalidRequest`, `NotFound`."""
    if bool(options.user) == bool(options.openid):
        raise InvalidRequest("name one user, by --user or by --openid")
    if options.openid:
        appids = [options.appid] if options.appid else sorted(services.settings.appids)
        if len(appids) != 1:
            raise InvalidRequest("say which mini-program by --appid")
        wanted = services.people.id_of(appids[0], options.openid)
        if services.store.users.get(wanted) is None:
            raise NotFound("no such user: somebody exists here after their first visit")
        return wanted
    if len(options.user) < 8:
        raise InvalidRequest("--user needs at least 8 characters of the id")
    if services.store.users.get(options.user) is not None:
        return str(options.user)
    found = [one for one in services.store.ledger.users(after=options.user, limit=2) if one.startswith(options.user)]
    if len(found) != 1:
        raise NotFound("no such user" if not found else "several users begin like that: give more of the id")
    return found[0]


def amount(text: str) -> int:
    """Micro-credits: `2500000`, or `2.5c` for credits."""
    found = re.fullmatch(r"(\d{1,15})|(\d{1,9})(?:\.(\d{1,6}))?c", text)
    if not found:
        raise argparse.ArgumentTypeError("give micro-credits like 2500000, or credits like 2.5c")
    value = int(found[1]) if found[1] else int(found[2]) * CREDIT + int((found[3] or "0").ljust(6, "0"))
    if not 0 < value <= LARGEST:
        raise argparse.ArgumentTypeError("must be more than nothing")
    return value


def moment(text: str) -> int | timedelta:
    """When something ends: `never` (0), `30d`, or the last day `2027-01-31` in China."""
    if text == "never":
        return 0
    if re.fullmatch(r"[1-9]\d{0,3}d", text):
        return timedelta(days=int(text[:-1]))
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=CHINA)
    except ValueError:
        raise argparse.ArgumentTypeError("give never, a number of days like 30d, or a day like 2027-01-31") from None
    return int(day.timestamp() * 1000) + DAY_MS


def ends(moment: int | timedelta, now: int) -> int:
    """The moment in Unix milliseconds, 0 for never. Raises `InvalidRequest` when it is over already."""
    at = now + int(moment.total_seconds() * 1000) if isinstance(moment, timedelta) else moment
    if 0 < at <= now:
        raise InvalidRequest("that day is over")
    return at
