"""Looks at the test set: each one is on record in the storage, by study and by data set.

A test set is only worth what it is as long as nothing is chosen by it: whoever looks twice and keeps the better answer
has begun to search with it.
"""

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from core.experiments.ledger import UNITS
from core.experiments.storage import Storage, metadata

LOOKS = sa.Table(
    "inkling_looks", metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("study", sa.String(64), index=True),
    sa.Column("dataset", sa.String(200), index=True),
    sa.Column("state", sa.String(12)),  # "running", "finished" or "stopped"
    sa.Column("record", sa.Text),  # JSON: `Look` but for what stands in the other columns
)  # fmt: skip


@dataclass(frozen=True)
class Look:
    """One confirmation: a trial's settings trained anew with other seeds and scored on the test set."""

    study: str
    dataset: str
    trial: int
    seeds: tuple[int, ...]
    epochs: int
    keys: tuple[str, ...]  # of its trainings in the ledger
    state: str = "running"
    validation: tuple[float, ...] = ()  # accuracy of each new training, in [0, 1]
    test: tuple[float, ...] = ()
    test_samples: int = 0
    low: float | None = None  # 95 % interval of the mean test accuracy, see `confirm.interval_of`
    high: float | None = None
    seconds: float = 0.0  # of all trainings together
    when: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    id: int = 0
    searched: tuple[float, ...] = ()  # the trial's accuracies in the search; a study may be deleted, a look stays
    settings: str = ""  # the trial's, in words


class Looks:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        storage.patiently(lambda: LOOKS.create(storage.engine, checkfirst=True))

    def write(self, look: Look) -> Look:
        """A new one where it has no number yet."""
        values = {"study": look.study, "dataset": look.dataset, "state": look.state, "record": json.dumps(asdict(look))}

        def write() -> int:
            with self._storage.engine.begin() as connection:
                if look.id:
                    connection.execute(sa.update(LOOKS).where(LOOKS.c.id == look.id).values(values))
                    return look.id
                key = connection.execute(sa.insert(LOOKS).values(values)).inserted_primary_key
                return int(key[0]) if key else 0

        return Look(**asdict(look) | {"id": self._storage.patiently(write)})

    def forget(self, look: Look) -> None:
        """One that was stopped before anything was scored: nobody looked."""
        query = sa.delete(LOOKS).where(LOOKS.c.id == look.id)

        def forget() -> None:
            with self._storage.engine.begin() as connection:
                connection.execute(query)

        self._storage.patiently(forget)

    def of(self, study: str) -> list[Look]:
        """The study's, the oldest first; one that was cut off is among them only if something of it was scored."""
        return self._read(LOOKS.c.study == study)

    def at(self, dataset: str) -> int:
        """How often the data set's test samples were looked at, by all studies in this storage."""
        return len(self._read(LOOKS.c.dataset == dataset))

    def _read(self, which: sa.ColumnElement[bool]) -> list[Look]:
        query = sa.select(LOOKS.c.id, LOOKS.c.state, LOOKS.c.record).where(which).order_by(LOOKS.c.id)

        def read() -> list[Look]:
            with self._storage.engine.connect() as connection:
                found = [_look(row) for row in connection.execute(query)]
                return [look for look in found if look.state != "running" or _was_scored(connection, look)]

        return self._storage.patiently(read)


def _look(row: Any) -> Look:
    record = json.loads(row.record)
    tuples = {name: tuple(record.get(name, ())) for name in ("seeds", "keys", "validation", "test", "searched")}
    return Look(**record | tuples | {"id": row.id, "state": row.state})


def _was_scored(connection: sa.Connection, look: Look) -> bool:
    query = sa.select(UNITS.c.key).where(UNITS.c.key.in_(look.keys), UNITS.c.state == "finished")
    return connection.execute(query).first() is not None
