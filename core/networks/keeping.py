"""Keeping the store in order: rename, delete, undo; for the user's own networks and runs, while nobody trains them."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from core.errors import NetworkError
from core.networks.store import (
    check_name,
    is_taken,
    open_network,
    own_shelf,
    taken,
    unwritable,
    write_atomically,
)
from core.networks.trash import Deleted, list_trash, put_back, throw_away

RUN_LOCK = "run.lock"  # in a run's folder; held by whoever trains
KIND = "network"


def rename_network(old: str, new: str) -> None:
    """Gives a network or run another name, in its passport and its run's record too.

    Raises `NetworkError` when the name is taken or none, when the network is shipped or being trained, and when it
    cannot be written; then it keeps its former name.
    """
    check_name(new)
    with _held(old, "renamed") as folder:
        if is_taken(new) and new.casefold() != old.casefold():  # another's; the same in capitals is its own
            raise taken(new)
        try:
            _rename(folder, new)
        except OSError as error:
            raise unwritable(folder, error) from error


def _rename(folder: Path, new: str) -> None:
    """Writes first, renames last; the passport is the last file, for it must be of the folder's name to be valid."""
    target = folder.with_name(new)
    records = [folder / name for name in ("run.json", "passport.json") if (folder / name).exists()]
    renamed = {record.name: _with_name(record, new) for record in records}
    asides = {name: f".{name}.renamed" for name in renamed}
    try:
        for name, content in renamed.items():
            write_atomically(folder / asides[name], content)
        folder.rename(target)
    except OSError:
        for aside in asides.values():
            (folder / aside).unlink(missing_ok=True)
        raise
    for name, aside in asides.items():  # these take no more room on the disk
        os.replace(target / aside, target / name)


def _with_name(record: Path, name: str) -> bytes:
    try:
        content = json.loads(record.read_text("utf-8"))
        if not isinstance(content, dict):
            raise ValueError("it is not a JSON object")
    except (ValueError, RecursionError) as error:
        raise NetworkError(f"{record} is damaged ({error}): the network cannot be renamed; delete it.") from error
    return json.dumps(content | {"name": name}, indent=2).encode()


def delete_network(name: str) -> str:
    """Moves a network or run, damaged or not, to the trash; the token for `undo_delete`.

    The trash keeps it for 30 days: what is older goes for good whenever something is deleted. Raises `NetworkError`
    when the network is shipped, unknown or being trained.
    """
    with _held(name, "deleted") as folder:
        try:
            return throw_away([folder], folder.parent, KIND)
        except OSError as error:
            raise unwritable(folder, error) from error


def undo_delete(token: str) -> str:
    """Puts a deleted network back under its name, which is returned.

    Raises `InklingError` when it is no longer in the trash or its name was taken meanwhile.
    """
    return put_back(token, own_shelf())[0].name


def list_deleted() -> list[Deleted]:
    """The networks in the trash, the latest deletion first; each has one name."""
    return list_trash(KIND)


@contextmanager
def _held(name: str, what: str) -> Iterator[Path]:
    """The folder of the user's network, while no training can take it; raises `NetworkError` where one has."""
    folder = own_shelf() / name
    check_name(name)
    if not folder.is_dir():
        shipped = open_network(name).name  # raises for a name that nobody has
        raise NetworkError(f"{shipped!r} ships with Inkling and cannot be {what}; train or import one of your own.")
    if not (folder / "run.json").exists() and not (folder / RUN_LOCK).exists():
        yield folder  # no run: nobody trains it
        return
    lock = FileLock(folder / RUN_LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise NetworkError(
            f"{name!r} is being trained and cannot be {what} now: stop it, or wait for its end."
        ) from error
    except OSError as error:
        raise unwritable(folder, error) from error
    try:
        yield folder
    finally:
        lock.release()
