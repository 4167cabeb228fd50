"""The word list."""

from pathlib import Path

import pytest

from yunliao.adapters.words import DEFAULT_WORDS, DEVELOPMENT_WORDS, LONGEST, WordMatcher
from yunliao.domain.guard import GuardPolicy
from yunliao.errors import Misconfigured


def listed(tmp_path: Path, *words: str) -> WordMatcher:
    file = tmp_path / "words.txt"
    file.write_text("\ufeff# comment\n\n" + "\n".join(words) + "\n", encoding="utf-8")
    return WordMatcher(file)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("前面词表演示词后面", True),
        ("前面詞 表\u200b演-示＊词后面", True),
        ("WORDLIST\u3000ｄｅｍｏ", True),
        ("a wordlist-demo.", True),
        ("wordlist-demonstration", False),
        ("mywordlist demo", False),
        ("词表演示", False),
        ("# comment", False),
        ("", False),
    ],
)
def test_found_however_it_is_dressed_up(tmp_path: Path, text: str, found: bool) -> None:
    verdict = listed(tmp_path, "词表演示词", "WordList-Demo").search(text)
    assert verdict.blocks is found
    assert verdict.layer == ("words" if found else "none")


def test_a_latin_word_is_found_only_whole_even_if_another_hit_lies_there(tmp_path: Path) -> None:
    words = listed(tmp_path, "ass", "as", "s坏")
    assert not words.search("class").blocks
    assert words.search("class坏").blocks
    assert words.search("an ass!").blocks
    assert words.search("好ass好").blocks
    assert not words.search("ass\u200bess").blocks
    assert words.search("ass\u200b\u200b\u200b\u200b\u200bess").blocks


def test_a_very_long_entry_is_matched_by_its_beginning(tmp_path: Path) -> None:
    words = listed(tmp_path, "甲乙丙丁" * 20)
    assert words.search("甲乙丙丁" * (LONGEST // 4)).blocks
    assert not words.search("甲乙丙丁" * (LONGEST // 4 - 1)).blocks
    assert GuardPolicy().hold >= LONGEST


def test_an_empty_list_finds_nothing(tmp_path: Path) -> None:
    assert not listed(tmp_path).search("随便什么").blocks
    assert not WordMatcher().search("随便什么").blocks


def test_several_files_count_together(tmp_path: Path) -> None:
    file = tmp_path / "own.txt"
    file.write_text("自家词\n", encoding="utf-8")
    words = WordMatcher(DEFAULT_WORDS, file)
    assert words.search("这是自家词").blocks and words.search("出售冰毒").blocks


def test_the_lists_shipped_are_sound() -> None:
    assert 5 <= WordMatcher(DEFAULT_WORDS).prepare() <= 50
    assert not WordMatcher(DEFAULT_WORDS).search("词表演示词").blocks
    development = WordMatcher(DEVELOPMENT_WORDS)
    assert development.search("词表演示词").blocks
    for phrase in ("违禁演示词", "forbidden-demo", "待审演示词", "review-demo"):
        assert not development.search(phrase).blocks, "must reach the simulated WeChat layer"


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "mine.txt"
    if content:
        file.write_bytes(content)
    with pytest.raises(Misconfigured) as wrong:
        WordMatcher(file)
    assert "mine.txt" in wrong.value.detail


def test_a_large_list_works(tmp_path: Path) -> None:
    words = [f"测试词{number:05d}号" for number in range(50_000)]
    matcher = listed(tmp_path, *words)
    assert matcher.prepare() == 50_000
    assert matcher.search("看看测试词４９９９９號吧").blocks
