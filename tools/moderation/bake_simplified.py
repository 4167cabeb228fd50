"""Bake OpenCC's traditional-to-simplified characters into `yunliao.data.simplified`.

Run by hand when OpenCC has a new release, from the checkout: `pip install OpenCC` into a Python of your own choice,
then `python tools/moderation/bake_simplified.py`. The container itself never needs OpenCC.
"""

from importlib.metadata import distribution, version
from pathlib import Path

import opencc  # type: ignore[import-not-found,unused-ignore]

DATA = Path(__file__).resolve().parents[2] / "container" / "yunliao" / "data"
IDEOGRAPHS = ((0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF))
WIDTH = 100

HEADER = '''\
"""Traditional characters and their simplified forms, one to one; by tools/moderation/bake_simplified.py.

Derived from the dictionaries of OpenCC {version} (Open Chinese Convert), Copyright 2010-2014 Carbo Kuo
<byvoid@byvoid.com>, licensed under the Apache License, Version 2.0; the licence is in OPENCC-LICENSE.txt beside this
file. Changed: reduced to pairs of single characters.
"""

'''


def pairs() -> list[tuple[str, str]]:
    """Every ideograph that OpenCC turns into exactly one other character."""
    convert = opencc.OpenCC("t2s").convert
    found = []
    for first, last in IDEOGRAPHS:
        for code in range(first, last + 1):
            simplified = convert(chr(code))
            if len(simplified) == 1 and simplified != chr(code):
                found.append((chr(code), simplified))
    return found


def constant(name: str, text: str) -> str:
    lines = [text[start : start + WIDTH // 2] for start in range(0, len(text), WIDTH // 2)]
    return f"{name} = (\n" + "".join(f'    "{line}"\n' for line in lines) + ")\n"


def main() -> None:
    table = pairs()
    (DATA / "simplified.py").write_text(
        HEADER.format(version=version("OpenCC"))
        + constant("TRADITIONAL", "".join(old for old, _ in table))
        + constant("SIMPLIFIED", "".join(new for _, new in table)),
        encoding="utf-8",
    )
    licences = [path for path in distribution("OpenCC").files or [] if path.name == "LICENSE"]
    (DATA / "OPENCC-LICENSE.txt").write_text(licences[0].read_text(encoding="utf-8"), encoding="utf-8")
    print(f"{len(table)} pairs")


if __name__ == "__main__":
    main()
