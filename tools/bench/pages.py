"""The tables' place in the documents: between two marks, whatever stands around them."""

import pathlib

PAGES = ("performance.md", "performance.zh-CN.md", "image.md", "image.zh-CN.md")


def placed(text: str, name: str, rows: list[str]) -> str:
    """`text` with `rows` between `<!-- name -->` and `<!-- /name -->`; unchanged without the marks. Raises `ValueError`
    for a mark that is never closed: what follows would be lost."""
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, mark, rest = text.partition(begin)
    if not mark:
        return text
    _, closed, after = rest.partition(end)
    if not closed:
        raise ValueError(f"no {end} after {begin.strip()}")
    return before + begin + "\n".join(rows) + "\n" + end + after


def write(tables: dict[str, list[str]], pictures: dict[str, str], docs: pathlib.Path) -> None:
    """Put the tables into docs/performance.md, docs/image.md and their translations, the pictures beside them."""
    for name, picture in pictures.items():
        (docs / "images").mkdir(parents=True, exist_ok=True)
        (docs / "images" / name).write_text(picture, "utf-8")
    for name in PAGES:
        page = docs / name
        text = page.read_text("utf-8")
        for table, rows in tables.items():
            text = placed(text, table, rows)
        page.write_text(text, "utf-8")
