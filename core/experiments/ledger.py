"""The ledger: every single training of every study in the storage, by the hash of all that decides it.

What was trained once is never trained again, whichever study asks; while it runs its curve can be watched. And the
leases: who works on which study, so that two pages do not.
"""

import json
import os
import socket
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from core.experiments.storage import Tables, metadata

UNITS = sa.Table(
    "inkling_units", metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("study", sa.String(64), index=True),
    sa.Column("state", sa.String(12), index=True),  # "running", "finished", "pruned" or "failed"
    sa.Column("record", sa.Text),  # JSON
)  # fmt: skip
LEASES = sa.Table(
    "inkling_leases", metadata,
    sa.Column("study", sa.String(64), primary_key=True),
    sa.Column("owner", sa.String(160)),
    sa.Column("beat", sa.DateTime(timezone=True)),
    sa.Column("stop", sa.Boolean),
    sa.Column("state", sa.Text),  # JSON: what the owner says of itself
)  # fmt: skip
AT_ONCE = 1000  # keys in one question
STALE_S = 15.0  # an owner that has not been heard of for so long is gone


def here() -> str:
    """This machine; a container that sees other processes is another one."""
    try:
        return f"{socket.gethostname()}/{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:  # not Linux
        return socket.gethostname()


class Ledger:
    def __init__(self, storage: Tables) -> None:
        self._storage = storage

    def write(self, key: str, study: str, record: dict[str, Any]) -> bool:
        """The training as it stands; what is finished stays as it is. True: it is written."""

        def write() -> bool:
            with self._storage.single.connect() as connection:
                write_unit(connection, key, study, record)
            return True

        return self._storage.patiently(write)

    def read(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The records that there are, by key."""
        query = sa.select(UNITS.c.key, UNITS.c.record)
        parts = [keys[start : start + AT_ONCE] for start in range(0, len(keys), AT_ONCE)]
        rows = (row for part in parts for row in self._rows(query.where(UNITS.c.key.in_(part))))
        return {key: json.loads(record) for key, record in rows}

    def running(self, study: str) -> list[dict[str, Any]]:
        """The records of the study's trainings that go on now, or were cut off."""
        query = sa.select(UNITS.c.record).where(UNITS.c.study == study, UNITS.c.state == "running")
        return [json.loads(record) for (record,) in self._rows(query)]

    def forget_running(self, study: str) -> None:
        """What was cut off when the last owner ended."""
        query = sa.delete(UNITS).where(UNITS.c.study == study, UNITS.c.state == "running")

        def forget() -> None:
            with self._storage.single.connect() as connection:
                connection.execute(query)

        self._storage.patiently(forget)

    def _rows(self, query: sa.Select[Any]) -> Iterable[Any]:
        def rows() -> Iterable[Any]:
            with self._storage.single.connect() as connection:
                return connection.execute(query).all()

        return self._storage.patiently(rows)


def write_unit(connection: sa.Connection, key: str, study: str, record: dict[str, Any]) -> None:
    """One statement; what is finished stays as it is."""
    values = {"study": study, "state": record["state"], "record": json.dumps(record)}
    insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    new = insert(UNITS).values(key=key, **values)
    connection.execute(
        new.on_conflict_do_update(index_elements=["key"], set_=values, where=UNITS.c.state != "finished")
    )


class LeaseLost(Exception):
    """Another driver has the study now."""


@dataclass(frozen=True)
class Holder:
    """Who works on a study, as the storage has it."""

    owner: str
    alive: bool
    stopping: bool
    state: dict[str, Any]


class Lease:
    """One study's; times are the storage's own, so that the machines' clocks do not matter."""

    def __init__(self, storage: Tables, study: str) -> None:
        self._storage, self._study = storage, study
        self.owner = f"{here()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"  # unlike any other

    def holder(self) -> Holder | None:
        """None while nobody works on it."""
        return self.look()[0]

    def look(self) -> tuple[Holder | None, dict[str, Any]]:
        """The holder; and while there is none, what the last one said when it let go."""
        query = sa.select(LEASES, sa.func.now().label("now")).where(LEASES.c.study == self._study)
        row = self._storage.patiently(lambda: self._first(query))
        if row is None:
            return None, {}
        state = json.loads(row.state)
        if not row.owner:
            return None, state
        silent_s = (_naive(row.now) - _naive(row.beat)).total_seconds()
        return Holder(row.owner, silent_s < STALE_S and not _is_dead_here(row.owner), row.stop, state), {}

    def take(self) -> bool:
        """Whether this process has the study now; another that is alive keeps it."""
        holder = self.holder()
        if holder is not None and holder.alive and holder.owner != self.owner:
            return False
        was = LEASES.c.owner == (holder.owner if holder else "")
        values = {"owner": self.owner, "beat": sa.func.now(), "stop": False, "state": "{}"}
        if self._change(sa.update(LEASES).where(LEASES.c.study == self._study, was).values(values)):
            return True
        try:
            return self._change(sa.insert(LEASES).values(study=self._study, **values))
        except IntegrityError:  # another was quicker
            return False

    def beat(self, state: dict[str, Any]) -> tuple[bool, bool]:
        """Still this process's?  And: was it asked to stop?"""
        mine = sa.and_(LEASES.c.study == self._study, LEASES.c.owner == self.owner)
        change = sa.update(LEASES).where(mine).values(beat=sa.func.now(), state=json.dumps(state))
        row = self._storage.patiently(lambda: self._first(change.returning(LEASES.c.stop)))
        return row is not None, bool(row and row.stop)

    def ask_to_stop(self) -> None:
        self._change(sa.update(LEASES).where(LEASES.c.study == self._study).values(stop=True))

    def fence(self, connection: sa.Connection) -> None:
        """The last statement of a transaction that only the owner may commit; raises `LeaseLost` otherwise.

        A driver that was frozen, or cut off from its storage, cannot know that another one took over meanwhile.
        """
        query = sa.select(LEASES.c.owner).where(LEASES.c.study == self._study).with_for_update(read=True)
        if connection.execute(query).scalar() != self.owner:
            raise LeaseLost

    def is_held_by(self, owner: str) -> bool:
        """Whether that driver has the study, alive or not, and was not asked to stop."""
        query = sa.select(LEASES.c.owner).where(LEASES.c.study == self._study, LEASES.c.stop.is_(False))
        row = self._storage.patiently(lambda: self._first(query))
        return row is not None and row.owner == owner

    def let_go(self, state: dict[str, Any]) -> None:
        """`state`: the last word about how it ended."""
        mine = sa.and_(LEASES.c.study == self._study, LEASES.c.owner == self.owner)
        self._change(sa.update(LEASES).where(mine).values(owner="", stop=False, state=json.dumps(state)))

    def _change(self, change: sa.Update | sa.Insert) -> bool:
        def apply() -> bool:
            with self._storage.single.connect() as connection:
                return bool(connection.execute(change).rowcount)

        return self._storage.patiently(apply)

    def _first(self, query: sa.Executable) -> Any:
        with self._storage.single.connect() as connection:
            return connection.execute(query).first()


def _naive(moment: Any) -> Any:
    return moment.replace(tzinfo=None)


def _is_dead_here(owner: str) -> bool:
    """Whether the owner was a process of this machine that has ended."""
    host, process, _ = owner.rsplit(":", 2)
    if host != here():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
