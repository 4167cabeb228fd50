"""Switches: named, typed settings of a simulated server that tests and people turn while it runs.

Every server has one `Switches` made from a table of `Switch` rows; the same rows are the table in
docs/local-cloud-run.md. A change holds until cleared, or for the next `times` requests, or only for requests whose
subject (path, content, message) contains `match`. Later changes win over earlier ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Value = bool | int | float | str | list[str]


class SwitchError(ValueError):
    """A change names an unknown switch or gives it a value of the wrong type; the text says which."""


@dataclass(frozen=True)
class Switch:
    """One switch: its name, its value when nobody touched it (which also fixes its type), and what it does."""

    name: str
    default: Value
    does: str
    one_of: tuple[str, ...] = ()

    def checked(self, value: object) -> Value:
        """The value in the switch's own type. Raises `SwitchError`."""
        if isinstance(self.default, bool):
            if isinstance(value, bool):
                return value
        elif isinstance(self.default, int):
            if isinstance(value, int) and not isinstance(value, bool):
                return value
        elif isinstance(self.default, float):
            if isinstance(value, int | float) and not isinstance(value, bool):
                return float(value)
        elif isinstance(self.default, list):
            if isinstance(value, list) and all(isinstance(item, str) for item in value):
                return value
        elif isinstance(value, str) and (not self.one_of or value in self.one_of):
            return value
        wanted = f"one of {', '.join(self.one_of)}" if self.one_of else f"a value of type {type(self.default).__name__}"
        raise SwitchError(f"switch {self.name} takes {wanted}")


@dataclass
class _Override:
    values: dict[str, Value]
    times: int | None
    match: str


@dataclass
class View:
    """What the switches say for one request."""

    values: dict[str, Value]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]


@dataclass
class Switches:
    """The switches of one server. Not thread-safe: belongs to that server's event loop."""

    table: tuple[Switch, ...]
    base: dict[str, Value] = field(init=False)
    overrides: list[_Override] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.by_name = {switch.name: switch for switch in self.table}
        self.base = {switch.name: switch.default for switch in self.table}

    def __getitem__(self, name: str) -> Any:
        """The value of a switch that is not asked per request."""
        return self.base[name]

    def checked(self, values: Mapping[str, object]) -> dict[str, Value]:
        """The values, each in its switch's type. Raises `SwitchError`."""
        for name in values:
            if name not in self.by_name:
                raise SwitchError(f"no switch is called {name!r}; there are: {', '.join(sorted(self.by_name))}")
        return {name: self.by_name[name].checked(value) for name, value in values.items()}

    def change(self, order: Mapping[str, object]) -> None:
        """Apply `{switch: value, …, "times"?: n, "match"?: text, "reset"?: true}`. Raises `SwitchError`."""
        values = {name: value for name, value in order.items() if name not in ("times", "match", "reset")}
        times, match = order.get("times"), order.get("match", "")
        if times is not None and (not isinstance(times, int) or isinstance(times, bool) or times < 1):
            raise SwitchError("times takes a whole number of at least 1")
        if not isinstance(match, str):
            raise SwitchError("match takes a text")
        checked = self.checked(values)
        if order.get("reset"):
            self.base = {switch.name: switch.default for switch in self.table}
            self.overrides.clear()
        if times is None and not match:
            self.base.update(checked)
        elif checked:
            self.overrides.append(_Override(checked, times, match))

    def take(self, subject: str = "", extra: Mapping[str, object] | None = None) -> View:
        """What holds for one request about `subject`, using up one of each `times` that applied."""
        values = dict(self.base)
        for override in list(self.overrides):
            if override.match not in subject:
                continue
            values.update(override.values)
            if override.times is not None:
                override.times -= 1
                if override.times <= 0:
                    self.overrides.remove(override)
        if extra:
            values.update(self.checked(extra))
        return View(values)

    def consume(self, name: str) -> Any:
        """The value of one switch before anything is known of the request, using up only the changes that set it."""
        value = self.base[name]
        for override in list(self.overrides):
            if name not in override.values or override.match:
                continue
            value = override.values[name]
            if override.times is not None:
                override.times -= 1
                if override.times <= 0:
                    self.overrides.remove(override)
        return value

    def state(self) -> dict[str, Any]:
        """All values, and the changes still waiting to be used up, as JSON."""
        waiting = [{"set": o.values, "times": o.times, "match": o.match} for o in self.overrides]
        return {"values": dict(self.base), "waiting": waiting}


def markdown(table: Iterable[Switch]) -> str:
    """The switches as the Markdown table that docs/local-cloud-run.md shows."""
    rows = ["| switch | default | what it does |", "|---|---|---|"]
    for switch in table:
        default = (
            "`" + ("on" if switch.default is True else "off" if switch.default is False else repr(switch.default)) + "`"
        )
        rows.append(f"| `{switch.name}` | {default} | {switch.does} |")
    return "\n".join(rows)
