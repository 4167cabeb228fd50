"""An answer as messages of customer service: plain text, short enough for the platform, each labelled (P12)."""

MOST_BYTES = 2_000
"""UTF-8 bytes of one message: the platform refuses a longer one with 45002. Its own limit is 2,048; which bytes it
counts besides the text is not documented."""
MOST_PARTS = 5
"""Messages that may follow one of the user's; the next is refused with 45047."""
ENDS = ("\n\n", "\n", "。", "！", "？", "；", ". ", "! ", "? ", "，", ", ", " ")
"""Where to cut, the best place first."""
MORE = "\n\n（回答较长，完整内容请在小程序里查看）"


def parts(text: str, label: str, *, most_bytes: int = MOST_BYTES, most_parts: int = MOST_PARTS) -> list[str]:
    """`text` in at most `most_parts` pieces, each with the label in front and of at most `most_bytes`; the last one
    says so when something was left out. No character is cut, and nothing is lost between two pieces but white space."""
    head = f"【{label}】\n"
    room = most_bytes - len(head.encode())
    pieces: list[str] = []
    rest = text.strip()
    while rest and len(pieces) < most_parts - 1 and len(rest.encode()) > room:
        cut = _cut(rest, room)
        pieces.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    if rest:
        last = rest
        if len(rest.encode()) > room:
            last = rest[: _cut(rest, room - len(MORE.encode()))].rstrip() + MORE
        pieces.append(last)
    return [head + piece for piece in pieces]


def _cut(text: str, room: int) -> int:
    """How many characters fit into `room` bytes, back to a good place within the last half."""
    fits = len(text.encode()[:room].decode("utf-8", "ignore"))
    for end in ENDS:
        at = text.rfind(end, fits // 2, fits)
        if at >= 0:
            return at + len(end)
    return max(1, fits)
