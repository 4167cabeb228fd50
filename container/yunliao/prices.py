"""The operator's prices: `YUNLIAO_PRICES`, JSON or the path of a JSON file (docs/credits.md)."""

from collections.abc import Collection

import msgspec

from yunliao.domain.ledger.prices import PriceTable, unpriced
from yunliao.json_file import read_json_file


class PricesWrong(ValueError):
    """What is wrong with the table, without any value of it."""


def parse_prices(value: str) -> PriceTable:
    """The table of a JSON text, or of the file at this path. Raises `PricesWrong`."""
    text = value if value.lstrip()[:1] == "{" else read_json_file(value, "{", PricesWrong)
    try:
        table = msgspec.json.decode(text, type=PriceTable)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `$")
        where = place.rstrip("`")
        raise PricesWrong(f"is wrong at {where}: {what}" if where else f"is wrong: {what}") from None
    except msgspec.DecodeError:
        raise PricesWrong("is not valid JSON: look for a missing quote, comma or bracket") from None
    limits = table.limits
    if limits.turn and limits.service_day and limits.turn > limits.service_day:
        raise PricesWrong("is wrong at .limits: one turn may cost more than the whole service on a day")
    return table


def check_models(table: PriceTable, models: Collection[str]) -> None:
    """Raises `PricesWrong` when a model that people may choose has no price."""
    missing = unpriced(table, models)
    if missing:
        raise PricesWrong(f"has no price for {len(missing)} of the models people may choose: add a line for each")
