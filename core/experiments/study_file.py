"""Studies as TOML files, and the presets."""

import re
import tomllib
import unicodedata
from pathlib import Path

import tomli_w

from core.errors import ExperimentError
from core.experiments.study import NAME, Study

PRESETS = Path(__file__).parent / "presets"
MOST_BYTES = 100_000


def read_study(file_or_preset: str) -> Study:
    """The study of a file, or the preset of that name; raises `ExperimentError` for what is none."""
    file = Path(file_or_preset)
    if not file.suffix and not file.exists():
        file = PRESETS / f"{file_or_preset}.toml"
        if not NAME.fullmatch(file_or_preset) or not file.is_file():
            known = ", ".join(sorted(preset.stem for preset in PRESETS.glob("*.toml")))
            raise ExperimentError(f"There is no preset {file_or_preset!r}; choose a .toml file, or one of: {known}.")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ExperimentError(f"{file} cannot be read ({error.strerror}).") from error
    return parse_study(content, file.stem)


def parse_study(content: bytes, name: str = "study") -> Study:
    """The study in a TOML file's bytes; raises `ExperimentError`, with the line, for what is no TOML."""
    if len(content) > MOST_BYTES:
        raise ExperimentError(f"A study's file has up to {MOST_BYTES:,} bytes, not {len(content):,}.")
    try:
        record = tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # no UTF-8, no TOML, or a number of thousands of digits
        raise ExperimentError(f"This is no TOML file: {error}.") from error
    return Study.from_json(record, as_name(name))


def as_name(text: str) -> str:
    """A study's name out of what a file is called, or of a question."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-") or "study"


def presets() -> list[tuple[str, Study]]:
    """All presets by name, each as it was and then in its quick version."""
    return [(file.stem, read_study(file.stem)) for file in sorted(PRESETS.glob("*.toml"), key=lambda file: file.stem)]


def toml_of(study: Study) -> str:
    """The study as the file that `parse_study` reads."""
    return tomli_w.dumps({key: value for key, value in study.to_json().items() if value is not None})
