"""Normalisation: dodges fall away, places stay exact."""

import pytest

from yunliao.domain.normalise import form, normalise


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("ＡＢｃ１２", "abc12"),
        ("漢字乾淨", "汉字干净"),
        ("a\u200bb\u00adc\ufeff", "abc"),
        ("e\u0301é", "ee"),
        ("词 表-演_示*词·", "词表演示词"),
        ("ﬁ①㎏㍿", "fi1kg株式会社"),
        ("Straße", "strasse"),
        ("一。二！", "一。二!"),
        ("\ud800\ue000", ""),
        ("", ""),
    ],
)
def test_forms(written: str, plain: str) -> None:
    assert normalise(written).text == plain


def test_places_lead_back_to_the_original() -> None:
    text = "\u200b甲 ㎏\u3000乙"
    plain = normalise(text)
    assert plain.text == "甲kg乙"
    assert [text[place] for place in plain.places] == ["甲", "㎏", "㎏", "乙"]


def test_every_code_point_has_a_form_that_is_itself_normal() -> None:
    unstable = []
    for code in (*range(0x3400), *range(0xF900, 0x10000), *range(0x1F000, 0x20000)):
        plain = normalise(chr(code)).text
        if normalise(plain).text != plain:
            unstable.append(hex(code))
    assert unstable == []
    form.cache_clear()


def test_simplified_characters_are_one_to_one() -> None:
    from yunliao.data.simplified import SIMPLIFIED, TRADITIONAL

    assert len(TRADITIONAL) == len(SIMPLIFIED) == len(set(TRADITIONAL)) > 4000
    assert "錢" in TRADITIONAL and SIMPLIFIED[TRADITIONAL.index("錢")] == "钱"
