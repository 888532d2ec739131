"""Labels and names of any script ↔ names of files and folders that every system takes, readable all the same."""

import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import quote, unquote

from core.errors import DataError

# Windows refuses these, or they lead elsewhere, or they begin an escape; all else but a leading dot can be shown.
ESCAPED = frozenset('/\\:*?"<>|%')
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # Windows' devices
MAX_BYTES = 200  # of the 255 that file systems allow


def as_folder(text: str) -> str:
    """A label as a folder's name: itself, but for what cannot stand there, which is escaped as in addresses."""
    escaped = "".join(quote(c, safe="") if c in ESCAPED or not c.isprintable() else c for c in text)
    if escaped[:1] in (".", " ") or RESERVED.fullmatch(escaped):
        escaped = f"%{ord(escaped[0]):02X}{escaped[1:]}"
    if escaped[-1:] in (".", " "):
        escaped = f"{escaped[:-1]}%{ord(escaped[-1]):02X}"
    if len(escaped.encode()) > MAX_BYTES:  # long and of a script with many bytes a character
        raise DataError(f"{text!r} is too long for a folder's name; shorten it.")
    return escaped


def as_folders(labels: Iterable[str]) -> dict[str, str]:
    """Label → folder, different even where capitals make no difference, as on many systems."""
    taken: set[str] = set()
    folders = {}
    for label in labels:
        folder = as_folder(label)
        if folder.casefold() in taken:
            capitals = "".join(quote(c) if not c.isascii() else f"%{ord(c):02X}" for c in label)
            folder = capitals if len(capitals) <= MAX_BYTES else folder
        taken.add(folder.casefold())
        folders[label] = folder
    return folders


def from_folder(folder: str) -> str:
    """What `as_folder` was given; a folder that somebody made by hand is called what it says."""
    return unicodedata.normalize("NFC", unquote(folder, errors="replace"))


def shortened(text: str, longest: int = 80) -> str:
    """As much of a text as a file's name has room for, escaped likewise; dots too, since they separate."""
    plain = ""
    for c in text:
        part = "%2E" if c == "." else quote(c, safe="") if c in ESCAPED or not c.isprintable() else c
        if len((plain + part).encode()) > longest:
            break
        plain += part
    return plain
