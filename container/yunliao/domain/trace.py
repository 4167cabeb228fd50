"""The caller's trace, as W3C Trace Context writes it: `version-traceid-parentid-flags` in the header `traceparent`."""

import re

FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


def trace_of(header: str) -> str:
    """The trace id (32 hex digits) and the flags, joined by a dash; "" for a header that is not of the form, which the
    standard says to treat as none. A later version may have more fields after these four."""
    found = FORM.fullmatch(header.strip())
    if not found:
        return ""
    version, trace, parent, flags, more = found.groups()
    if version == "ff" or (version == "00" and more) or not int(trace, 16) or not int(parent, 16):
        return ""
    return f"{trace}-{flags}"


def header_for(trace: str, span: str) -> str:
    """`traceparent` for a request of ours within that trace; `span` are 16 hex digits, not all zero."""
    identifier, _, flags = trace.partition("-")
    return f"00-{identifier}-{span}-{flags}"
