"""An estimate of tokens without a tokenizer: the relay may serve any model, and reports true usage itself.

Per class of character, in quarters of a token, on the high side of common vocabularies, so that a context that fits by
this count fits in truth.
"""

CJK_QUARTERS = 4
"""One token a Chinese, Japanese or Korean character: newer vocabularies need 0.6 to 1."""
LATIN_QUARTERS = 1
"""Four letters a token for words."""
DIGIT_QUARTERS = 2
OTHER_QUARTERS = 3
MESSAGE_TOKENS = 4
"""What the frame of one chat message costs."""


def estimate(text: str) -> int:
    """About how many tokens `text` has; 0 only for the empty text."""
    quarters = 0
    for char in text:
        code = ord(char)
        if code < 0x80:
            quarters += DIGIT_QUARTERS if char.isdigit() else LATIN_QUARTERS if char.isalpha() or char == " " else 2
        elif 0x2E80 <= code <= 0x9FFF or 0xAC00 <= code <= 0xD7AF or 0xF900 <= code <= 0xFFEF:
            quarters += CJK_QUARTERS
        elif code >= 0x10000:
            quarters += 8
        else:
            quarters += OTHER_QUARTERS
    return -(-quarters // 4)
