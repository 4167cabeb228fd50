"""What the writes of sends and answers ask of a transaction, in the driver's ordinary way or over a line (line.py)."""

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from pymongo import UpdateOne
from pymongo.client_session import ClientSession
from pymongo.database import Database as Collections

Document = dict[str, Any]
Result = TypeVar("Result")


class Refused(Generic[Result]):
    """The result of a transaction that is to write nothing."""

    def __init__(self, result: Result) -> None:
        self.result = result


class Update(NamedTuple):
    """A change of the one document that is wanted, by operators; with `upsert` it is made where there is none."""

    wanted: Document
    change: Document
    upsert: bool = False


class Steps(Protocol):
    """Steps of one transaction. Each may raise `PyMongoError`, after which the transaction is over."""

    def change_one(self, name: str, wanted: Document, change: Document, fields: Document) -> Document | None:
        """Change the one document: its `fields` as they were before, or None if there is none."""
        ...

    def update(self, name: str, updates: Sequence[Update]) -> int:
        """Make the changes, in any order: how many documents were matched."""
        ...

    def insert(self, name: str, documents: Sequence[Document]) -> None:
        """Add new documents."""
        ...

    def find(self, name: str, wanted: Document, *, at_most: int) -> list[Document]:
        """The documents; there are no more than `at_most`."""
        ...


class SessionSteps(Steps):
    """Steps of the transaction of a session; without one each stands alone."""

    def __init__(self, collections: Collections[Document], session: ClientSession | None) -> None:
        self._collections = collections
        self._session = session

    def change_one(self, name: str, wanted: Document, change: Document, fields: Document) -> Document | None:
        """See `Steps.change_one`."""
        found: Document | None = self._collections[name].find_one_and_update(
            wanted, change, fields, session=self._session
        )
        return found

    def update(self, name: str, updates: Sequence[Update]) -> int:
        """See `Steps.update`."""
        collection, session = self._collections[name], self._session
        if len(updates) == 1:  # a bulk of one costs more
            return collection.update_one(*updates[0], session=session).matched_count
        changes = [UpdateOne(*one) for one in updates]
        return collection.bulk_write(changes, ordered=False, session=session).matched_count

    def insert(self, name: str, documents: Sequence[Document]) -> None:
        """See `Steps.insert`."""
        if len(documents) == 1:
            self._collections[name].insert_one(documents[0], session=self._session)
        else:
            self._collections[name].insert_many(documents, ordered=False, session=self._session)

    def find(self, name: str, wanted: Document, *, at_most: int) -> list[Document]:
        """See `Steps.find`."""
        return list(self._collections[name].find(wanted, session=self._session))
