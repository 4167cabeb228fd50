"""An answer in parts: short enough, labelled, nothing lost, nothing cut inside a character."""

import random

from yunliao.domain.letters import MORE, MOST_BYTES, parts

LABEL = "AI 生成"
HEAD = "【AI 生成】\n"


def plain(pieces: list[str]) -> str:
    assert all(piece.startswith(HEAD) for piece in pieces)
    return "".join(piece.removeprefix(HEAD) for piece in pieces)


def test_a_short_answer_is_one_part() -> None:
    assert parts("你好。", LABEL) == [HEAD + "你好。"]
    assert parts("  \n", LABEL) == []


def test_nothing_is_lost_but_white_space_and_no_part_is_too_long() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    for _ in range(300):
        text = "".join(chance.choice("你好世界。，！\n abc.😀é") for _ in range(chance.randrange(1, 2_500)))
        pieces = parts(text, LABEL, most_parts=50)
        assert all(len(piece.encode()) <= MOST_BYTES for piece in pieces)
        assert "".join(plain(pieces).split()) == "".join(text.split())


def test_it_cuts_at_ends_of_sentences() -> None:
    pieces = parts("这是一句话。" * 400, LABEL)
    assert all(piece.endswith("。") for piece in pieces)


def test_what_does_not_fit_is_said_to_be_left_out() -> None:
    pieces = parts("字" * 20_000, LABEL)
    assert len(pieces) == 5
    assert pieces[-1].endswith(MORE)
    assert all(len(piece.encode()) <= MOST_BYTES for piece in pieces)
