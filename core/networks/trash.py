"""The trash in `INKLING_HOME`: what was deleted can be put back, until it is 30 days old."""

import re
import secrets
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InklingError
from core.paths import home_dir

KEPT_DAYS = 30
TOKEN_PATTERN = re.compile(r"([a-z-]+)-([0-9]{10})-[0-9a-f]{8}")  # kind, time of deletion, chance; no path


@dataclass(frozen=True)
class Deleted:
    """What one deletion has put into the trash."""

    token: str  # to put it back with
    names: tuple[str, ...]  # where the things stood in their folder
    deleted_s: int  # seconds since 1970


def _bin() -> Path:
    return home_dir() / "trash"


def throw_away(things: Sequence[Path], folder: Path, kind: str) -> str:
    """Moves files or folders that stand in `folder` to the trash; the token to `put_back` them with.

    Each is moved in one step. What has been in the trash for more than 30 days is removed for good. Raises `OSError`
    with everything where it was.
    """
    _empty_of_old()
    token = f"{kind}-{int(time.time()):010}-{secrets.token_hex(4)}"
    place = _bin() / token
    place.mkdir(parents=True)
    _move([(thing, place / thing.relative_to(folder)) for thing in things])
    return token


def put_back(token: str, folder: Path, pattern: str = "*") -> list[Path]:
    """Moves what was thrown away back to where it stood; `pattern` finds it in the trash. Returns where it stands now.

    Raises `InklingError` when it is no longer in the trash, or something else stands in its place.
    """
    place = _bin() / token
    things = sorted(place.glob(pattern)) if TOKEN_PATTERN.fullmatch(token) else []
    if not things:
        raise InklingError(f"This is no longer in the trash: it was put back, or deleted over {KEPT_DAYS} days ago.")
    moves = [(thing, folder / thing.relative_to(place)) for thing in things]
    if blocked := [target.name for _, target in moves if target.exists()]:
        raise InklingError(f"There is {blocked[0]!r} again: rename or delete that first, then undo.")
    try:
        _move(moves)
    except OSError as error:
        raise InklingError(f"{folder} cannot be written ({error.strerror}); it stays in the trash.") from error
    shutil.rmtree(place, ignore_errors=True)  # empty folders
    return [target for _, target in moves]


def list_trash(kind: str, pattern: str = "*") -> list[Deleted]:
    """What was deleted of a kind, the latest first."""
    found = [
        Deleted(place.name, tuple(str(f.relative_to(place)) for f in sorted(place.glob(pattern))), deleted_s)
        for place, found_kind, deleted_s in _places()
        if found_kind == kind
    ]
    return sorted((d for d in found if d.names), key=lambda d: d.deleted_s, reverse=True)


def _move(moves: Sequence[tuple[Path, Path]]) -> None:
    """All or, after an `OSError`, none."""
    done: list[tuple[Path, Path]] = []
    try:
        for thing, target in moves:
            target.parent.mkdir(parents=True, exist_ok=True)
            thing.rename(target)
            done.append((thing, target))
    except OSError:
        for thing, target in reversed(done):
            target.rename(thing)
        raise


def _places() -> list[tuple[Path, str, int]]:
    """Folder, kind and time of each deletion; what else somebody may have put there is left alone."""
    if not _bin().is_dir():
        return []
    named = [(place, TOKEN_PATTERN.fullmatch(place.name)) for place in _bin().iterdir()]
    return [(place, match[1], int(match[2])) for place, match in named if match]


def _empty_of_old() -> None:
    for place, _, deleted_s in _places():
        if time.time() - deleted_s > KEPT_DAYS * 86_400:
            shutil.rmtree(place, ignore_errors=True)
