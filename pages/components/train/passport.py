"""A network's passport in plain words. It may be anybody's, imported: nothing in it is taken to be as it should."""

from collections.abc import Iterator
from html import escape
from typing import Any

from core.networks import Passport
from core.reading import written

SHORT = 200  # characters of whatever a passport says
SETTINGS = {  # setting → how it is told
    "epochs": "epochs {}",
    "batch_size": "batch size {}",
    "optimizer": "optimizer {}",
    "momentum": "momentum {}",
    "learning_rate": "learning rate {}",
    "schedule": "schedule {}",
    "weight_decay": "weight decay {}",
    "loss": "loss {}",
    "dropout": "dropout {}",
    "augmentation": "augmentation {}",
    "negatives": "pictures of no symbol {}",
    "precision": "precision {}",
    "device": "device {}",
    "threads": "threads {}",
}


def about_html(passport: Passport) -> str:
    """What it is, what taught it, how, and how well it does."""
    rows = "".join(f"<dt>{escape(what)}</dt><dd>{escape(said)}</dd>" for what, said in _rows(passport) if said)
    return f'<dl class="passport">{rows}</dl>'


def _rows(passport: Passport) -> Iterator[tuple[str, str]]:
    count = passport.metrics.get("parameters")
    parameters = f", {count:,} parameters" if isinstance(count, int) else ""
    yield "Network", f"built as {passport.spec.architecture}{parameters}"
    yield "Tells apart", f"{len(passport.classes)} classes: {_short(', '.join(map(written, passport.classes)))}"
    yield "Reads", "pictures of 28 × 28 pixels" if passport.reads_glyphs else "the rows of a table"
    yield "Taught by", _taught(passport.data)
    yield "Tested on", _part(_dict(passport.data.get("test")))
    yield "Test accuracy", _accuracy(passport)
    yield "Calibration", _calibration(passport.metrics)
    yield "Settings", _settings(passport.training)
    yield "Seed", str(passport.seed)
    yield "Took", _seconds(passport.training.get("seconds"))
    yield "Made with", _short(", ".join(f"{key} {value}" for key, value in passport.versions.items()))


def _taught(data: dict[str, Any]) -> str:
    train = data.get("train")
    parts = [told for part in (train if isinstance(train, list) else []) if (told := _part(_dict(part)))]
    told = " and ".join(parts[:5]) or _short(data.get("name") or "")
    held_back = data.get("validation_samples")
    calibrated = isinstance(held_back, int) and held_back > 0
    return f"{told}; {held_back:,} of them were held back to calibrate it" if told and calibrated else told


def _part(part: dict[str, Any]) -> str:
    samples, name = part.get("samples"), _short(part.get("name") or "")
    return f"{samples:,} samples of {name}" if isinstance(samples, int) and name else name


def _accuracy(passport: Passport) -> str:
    accuracy, refused = passport.metrics.get("test_accuracy"), passport.metrics.get("test_refused")
    if accuracy is None:
        return "not told"
    told = f"{accuracy:.2%}"
    return told + (f"; {refused:.1%} of the test samples would be refused" if _is_share(refused) else "")


def _calibration(metrics: dict[str, Any]) -> str:
    error = metrics.get("test_ece")
    return f"its confidence is {100 * error:.1f} points off its accuracy on average (ECE)" if _is_share(error) else ""


def _settings(training: dict[str, Any]) -> str:
    plain = training | ({"momentum": ""} if training.get("optimizer") == "adam" else {})  # which has none
    told = [
        words.format(_number(value))
        for setting, words in SETTINGS.items()
        if isinstance(value := plain.get(setting), int | float | str) and value not in ("none", "cpu", 0, "")
    ]
    if isinstance(more := training.get("more_epochs"), list) and more:
        told.insert(1, f"then {_short(' and '.join(map(str, more)))} more")
    return ", ".join(told)


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else _short(value)


def _seconds(seconds: object) -> str:
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return ""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"


def _is_share(value: object) -> bool:
    return isinstance(value, float) and 0 <= value <= 1


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= SHORT else text[: SHORT - 1] + "…"
