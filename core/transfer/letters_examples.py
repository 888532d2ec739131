"""Letters that are always there: written by the stroke generator from the embedded alphabet, or the course's."""

from collections.abc import Sequence

from core.data.strokes import draw_glyphs
from core.paths import data_dir
from core.transfer.glyphs import png_of
from core.transfer.letters_set import Letter

COURSE_FOLDER = "greek_train"  # of INKLING_DATA: the classic course's 27 pictures


def written_letters(labels: Sequence[str], each: int, seed: int) -> tuple[Letter, ...]:
    """So many glyphs of each symbol of the embedded alphabet, by pens and hands that differ; the same for a seed."""
    symbols = [label for label in labels for _ in range(each)]
    glyphs = list(draw_glyphs(symbols, seed)) if symbols else []
    return tuple(
        Letter(label, png_of(glyph), f"strokes {number}")
        for number, (label, glyph) in enumerate(zip(symbols, glyphs, strict=True), 1)
    )


def has_course_letters() -> bool:
    return any((data_dir() / COURSE_FOLDER).glob("*/*.png"))


def course_letters() -> tuple[Letter, ...]:
    """The classic course's pictures of alpha, beta and gamma."""
    files = sorted((data_dir() / COURSE_FOLDER).glob("*/*.png"))
    return tuple(Letter(file.parent.name, file.read_bytes(), file.name) for file in files)
