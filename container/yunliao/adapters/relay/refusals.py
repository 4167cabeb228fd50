"""What a status other than 200 means, and whether another try, here or elsewhere, can help."""

import email.utils
import time

import msgspec

from yunliao.adapters.relay.chunks import classify, is_content_filter, opened_error
from yunliao.errors import BlockedOutput, ContextTooLong, RelayOverloaded, RelayRefused, TurnFailed

MAX_ERROR_BODY = 64 * 1024
"""Bytes read of an error answer."""
MAX_RETRY_AFTER = 10.0
"""Longest wait within one answer, seconds; an upstream that asks for more is left in peace and another one asked."""
MAX_REST = 300.0
"""Longest rest an upstream can ask for itself, seconds."""


class Refusal(msgspec.Struct, frozen=True):
    """`failure`: what it means for the turn. `ours`: the request is at fault, so no upstream would take it.
    `retryable`: the same upstream may take it after `wait` seconds."""

    failure: TurnFailed
    ours: bool
    retryable: bool
    wait: float = 0.0


def refusal(status: int, headers: dict[str, str], body: bytes) -> Refusal:
    """The meaning of an error answer; its own words are never passed on, since they may repeat the prompt."""
    error = opened_error(body)
    if is_content_filter(error):
        return Refusal(BlockedOutput(), ours=True, retryable=False)
    if status == 413 or isinstance(classify(error), ContextTooLong):
        return Refusal(ContextTooLong(), ours=True, retryable=False)
    if status in (408, 425, 429) or status >= 500:
        wait = retry_after(headers.get("retry-after"))
        told = max(1, min(60, round(wait))) if wait else 10
        return Refusal(RelayOverloaded(f"status {status}", retry_after=told), ours=False, retryable=True, wait=wait)
    # A key, a model or a path that this upstream does not know: another one may.
    elsewhere = status in (401, 402, 403, 404, 405) or 300 <= status < 400
    return Refusal(RelayRefused(f"status {status}"), ours=not elsewhere, retryable=False)


def retry_after(value: str | None) -> float:
    """Seconds to wait by a Retry-After header (RFC 9110 §10.2.3), at most `MAX_REST`."""
    if not value:
        return 0.0
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except (TypeError, ValueError):
            return 0.0
    return min(max(0.0, seconds), MAX_REST) if seconds == seconds else 0.0
