"""P4, by trying to break it: any text, any split, any timing, any order of verdicts."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from yunliao.adapters.words import WordMatcher
from yunliao.domain.guard import GLUE, RUN, Guard, GuardPolicy, Window
from yunliao.domain.normalise import normalise
from yunliao.domain.verdict import PASS, Verdict

RISKY = Verdict(suggest="risky", layer="wechat", label=20001)
FILLER = "今天天气很好我们去散步吧 一二三四五。！？\nHello, world. 👩‍👧🇨🇳é①ﬁ—*"
NOISE = "\u200b\u200d\ufeff \u3000-*_·.\u0301\ufe0f\n"
PHRASE = "违禁演示词敏感内容VWXQ"

policies = st.builds(
    lambda hold, over, first, growth, wait, spare: GuardPolicy(
        hold=hold,
        overlap=hold + over,
        first_chars=hold + 1 + first,
        growth=growth,
        max_wait_ms=wait,
        max_chars=min(2500, (hold + over) * (RUN + 1) + GLUE + hold + 1 + first + spare),
    ),
    st.integers(1, 24),
    st.integers(0, 24),
    st.integers(0, 40),
    st.floats(1, 3),
    st.sampled_from([0, 100, 1200]),
    st.integers(0, 2500),
)
seeds = st.integers(0, 2**32 - 1)
"""Shown with every failing example."""
fillers = st.one_of(
    st.text(st.sampled_from(FILLER), max_size=300),
    st.text(st.characters(blacklist_categories=["Cs"]), max_size=60).filter(lambda text: not touches_phrase(text)),
)


def touches_phrase(text: str) -> bool:
    return bool(set(normalise(text).text) & set(normalise(PHRASE).text))


def dressed(phrase: str, random: Random) -> str:
    """`phrase` with noise between its characters, some full-width, and now and then a flood."""
    dress = []
    for char in phrase:
        wide = chr(ord(char) + 0xFEE0) if char.isascii() and random.random() < 0.5 else char
        dress.append(wide)
        if random.random() < 0.6:
            dress.append("".join(random.choices(NOISE, k=random.choice([1, 2, 5, 40]))))
        if random.random() < 0.02:
            dress.append(random.choice(NOISE) * 5000)
    while dress and not normalise(dress[-1]).text:
        dress.pop()  # the phrase ends with its own last character
    return "".join(dress)


def play(guard: Guard, text: str, check: Callable[[Window], Verdict], random: Random) -> tuple[str, list[Window]]:
    """Run `text` through the guard in a random way; what was shown, and every window."""
    shown, out, windows, now, at = "", [], [], 0, 0
    largest = random.choice([1, 3, 20, 500])

    def step() -> None:
        nonlocal now, shown
        now += random.choice([0, 0, 1, 50, 2000])
        cut = guard.windows(now)
        windows.extend(cut)
        out.extend(cut)
        random.shuffle(out)
        for _ in range(random.randint(0, len(out))):
            window = out.pop()
            guard.resolve(window.index, check(window), now)
            shown += guard.release()
        shown += guard.release()

    while at < len(text):
        size = random.randint(1, largest)
        guard.feed(text[at : at + size], now)
        at += size
        if random.random() < 0.7:
            step()
    guard.finish(now)
    while not guard.settled:
        step()
    shown += guard.release()
    return shown, windows


@settings(max_examples=250, deadline=None)
@given(policies, st.lists(fillers, max_size=5).map("".join), seeds)
def test_when_everything_passes_everything_is_shown(policy: GuardPolicy, text: str, seed: int) -> None:
    guard = Guard(policy, None)
    shown, windows = play(guard, text, lambda window: PASS, Random(seed))
    assert shown == text
    assert guard.released == len(text) and guard.blocked is None and not guard.pending
    assert [window.index for window in windows] == list(range(len(windows)))
    assert all(0 < len(window.text) <= policy.max_chars for window in windows)


@settings(max_examples=400, deadline=None)
@given(policies, fillers, st.data(), seeds)
def test_no_character_of_a_risky_phrase_is_shown(
    policy: GuardPolicy, before: str, data: st.DataObject, seed: int
) -> None:
    random = Random(seed)
    size = data.draw(st.integers(1, policy.hold))
    phrase = data.draw(st.text(st.sampled_from(PHRASE), min_size=size, max_size=size))
    after = data.draw(fillers)
    start = len(before)
    text = before + dressed(phrase, random) + after
    plain = normalise(phrase).text
    guard = Guard(policy, None)

    def check(window: Window) -> Verdict:
        return RISKY if plain in normalise(window.text).text else PASS

    shown, windows = play(guard, text, check, random)
    assert guard.blocked == RISKY
    assert len(shown) <= start and text.startswith(shown)
    assert all(len(window.text) <= policy.max_chars for window in windows)


@settings(max_examples=150, deadline=None)
@given(policies, fillers, fillers, st.data(), seeds)
def test_no_character_of_a_listed_word_is_shown(
    policy: GuardPolicy, before: str, after: str, data: st.DataObject, seed: int
) -> None:
    random = Random(seed)
    size = data.draw(st.integers(1, policy.hold))
    word = data.draw(st.text(st.sampled_from(PHRASE), min_size=size, max_size=size))
    before, after = before + "，", "，" + after  # a word of Latin letters is found only as a whole word
    text = before + dressed(word, random) + after
    guard = Guard(policy, matcher(word).search)
    shown, _ = play(guard, text, lambda window: PASS, random)
    assert guard.blocked is not None and guard.blocked.layer == "words"
    assert len(shown) <= len(before) and text.startswith(shown)


def matcher(*words: str) -> WordMatcher:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "words.txt"
        file.write_text("\n".join(words), encoding="utf-8")
        return WordMatcher(file)


HARMLESS = "First-class assessments pass; a glass of class, an embassy as such. 好的class。assassin? as s"


@settings(max_examples=150, deadline=None)
@given(policies, seeds)
def test_a_latin_word_inside_others_is_let_through_wherever_the_text_is_cut(policy: GuardPolicy, seed: int) -> None:
    text = HARMLESS.replace("as s", "as x") * 3
    guard = Guard(policy, matcher("ass").search)
    shown, _ = play(guard, text, lambda window: PASS, Random(seed))
    assert shown == text


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 50), seeds)
def test_calls_are_few(size: int, seed: int) -> None:
    policy, random = GuardPolicy(), Random(seed)
    text = "".join(random.choices("今天天气很好我们去散步吧。！？", k=random.randint(0, 12_000)))
    guard, count = Guard(policy, None), 0
    for at in range(0, len(text), size):
        guard.feed(text[at : at + size], 0)
        count += len(guard.windows(0))
    guard.finish(0)
    count += len(guard.windows(0))
    # 40, 80, … 1,280 new characters at least half filled, then windows of at least half the room
    assert count <= 8 + len(text) // 1100


@settings(max_examples=300, deadline=None)
@given(st.lists(fillers, max_size=4).map("".join), seeds)
def test_however_text_is_cut_it_is_taken_the_same(text: str, seed: int) -> None:
    """Runs of plain characters are taken whole; one character at a time there are none."""
    random, guards = Random(seed), [Guard(GuardPolicy(), None) for _ in range(3)]
    at = 0
    while at < len(text):
        size = random.randint(1, 60)
        guards[1].feed(text[at : at + size], 0)
        at += size
    for char in text:
        guards[0].feed(char, 0)
    guards[2].feed(text, 0)
    for guard in guards:
        guard.finish(0)
    windows = [guard.windows(0) for guard in guards]
    assert windows[0] == windows[1] == windows[2]
    for guard in guards:
        for index in range(len(windows[0])):
            guard.resolve(index, PASS, 0)
    assert {guard.release() for guard in guards} == {text}
