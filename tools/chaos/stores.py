"""The stores a campaign can run on, and the faults each can suffer."""

from __future__ import annotations

from pathlib import Path

from chaos.schedule import Fault


class Store:
    """A store that needs no server: SQLite in the campaign's folder. It suffers no faults of its own."""

    faults: tuple[str, ...] = ()

    def __init__(self, folder: Path) -> None:
        self.url = "sqlite:///" + (folder / "yunliao.db").as_posix()

    async def start(self) -> None:
        """Be ready."""

    async def strike(self, fault: Fault) -> None:
        """Suffer one of `faults`."""
        raise ValueError(f"this store has no fault {fault.kind}")

    async def heal(self) -> None:
        """Be whole again."""

    async def stop(self) -> None:
        """End what was started."""


def store_of(name: str, folder: Path) -> Store:
    """The store called `name`. Raises `ValueError`."""
    if name == "sqlite":
        return Store(folder)
    raise ValueError("--store must be sqlite")
