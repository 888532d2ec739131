"""`read`: pictures → readings."""

import argparse
from typing import TYPE_CHECKING, Any

from core.cli.output import print_json, report_error
from core.errors import PictureError

if TYPE_CHECKING:
    from core.reading import Page
    from core.reading.types import Box

HELP = "read the symbols on pictures"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="a picture file")
    parser.add_argument("--network", default="digits", metavar="NAME", help="a trained network (default: digits)")


def run(args: argparse.Namespace) -> int:
    from core.reading import open_recognizer
    from core.reading.picture import open_picture

    recognizer = open_recognizer(args.network)
    failed = False
    for path in args.images:
        try:
            picture = open_picture(path)
        except PictureError as error:
            report_error(error)
            failed = True
            continue
        page = recognizer.read(picture.pixels)
        if args.json:
            print_json(_record(path, page, picture.scale))
        else:
            print(_sentence(path, page))
    return 2 if failed else 0


def _record(path: str, page: "Page", scale: float) -> dict[str, Any]:
    return {
        "image": path,
        "text": page.text,
        "symbols": [
            {"label": s.label, "confidence": round(s.confidence, 4), "box": _file_box(s.box, scale)}
            for s in page.symbols
        ],
        "refused": [{"reason": r.reason, "box": _file_box(r.box, scale)} for r in page.refused],
    }


def _file_box(box: "Box", scale: float) -> list[int]:
    """A box in the pixels of the file (turned upright), where the picture was reduced while unpacking."""
    return [round(v * scale) for v in box]


def _sentence(path: str, page: "Page") -> str:
    said = page.text.replace("\n", " / ") or "no symbols"
    notes = []
    if page.symbols:
        least = min(page.symbols, key=lambda s: s.confidence)
        notes.append(f"least sure: {least.label} at {least.confidence:.0%}")
    if page.refused:
        reasons = ", ".join(sorted({str(r.reason) for r in page.refused}))
        notes.append(f"{len(page.refused)} refused: {reasons}")
    return f"{path}: {said}" + (f"  ({'; '.join(notes)})" if notes else "")
