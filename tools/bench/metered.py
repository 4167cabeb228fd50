"""What the service says of itself at /metrics, and what its store holds of live turns."""

import re
import urllib.request
from typing import Any

import pymongo


def scrape(url: str) -> dict[str, float]:
    """Every sample by its name and labels as printed."""
    with urllib.request.urlopen(url + "/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found = {}
    for line in text.splitlines():
        sample = re.match(r"(\w+(?:\{[^}]*\})?) (\S+)$", line)
        if sample:
            found[sample[1]] = float(sample[2])
    return found


def total(samples: dict[str, float], name: str) -> float:
    """The sum over all labels."""
    return sum(value for key, value in samples.items() if key.partition("{")[0] == name)


def leases(store_url: str) -> tuple[int, int]:
    """Turns that are live in the store, and the connections its server has."""
    with pymongo.MongoClient[dict[str, Any]](store_url) as client:
        live = client.get_default_database()["turns"].count_documents({"live": True})
        return live, int(client.admin.command("serverStatus")["connections"]["current"])
