"""Teaching live: what of it belongs to the session, whatever is shown; and what the buttons do."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.errors import InklingError
from core.reading import Recognizer
from core.reading.live import STALLED_S, LiveReader
from core.reading.recognizer import NOT_LIKE_ANY
from core.reading.teaching import ENOUGH, Capture, Teaching, prepare
from core.reading.tracks import TrackedSymbol
from core.reading.types import written
from core.transfer.letters_set import as_label

TEACHING, CHOSEN, SERIES, SAID, GONE = (
    f"live_teaching_{name}" for name in ("captures", "chosen", "series", "said", "gone")
)
NAME = "live_teach_name"
SERIES_LENGTH, SERIES_EVERY_S, SERIES_ENDS_S = 5, 0.5, 12.0
UNSURE = "not sure enough"
SHOWN = 8  # symbols to choose from


@dataclass
class Series:
    """Captures taken by themselves while the symbol is moved."""

    reader: LiveReader
    label: str
    left: int
    next_s: float
    ends_s: float


@dataclass(frozen=True)
class Said:
    """What came of the last press of a button."""

    text: str
    kind: str = "info"  # or "success", "warning", "error"


def teaching() -> Teaching:
    return st.session_state.setdefault(TEACHING, Teaching())


def taught_or(recognizer: Recognizer) -> Recognizer:
    """The session's recognizer: with what was taught, as soon as that is ready for this network; never waits long."""
    taught = teaching()
    if not taught.captures:
        return recognizer
    ready = prepare(recognizer)
    return taught.recognizer(recognizer) if ready.done() and ready.exception() is None else recognizer


def keep_up(reader: LiveReader, recognizer: Recognizer) -> None:
    """Goes on with what runs by itself: a series of captures, a network that is being made ready."""
    _go_on_with_series(reader)
    wanted = taught_or(recognizer)
    if reader.recognizer is not wanted:
        reader.change(reader.settings, wanted)


def candidates(reader: LiveReader) -> tuple[TrackedSymbol, ...]:
    """The symbols of the newest frame that can be taught, in reading order; the largest where there are many."""
    shot = reader.newest
    if shot is None:
        return ()
    refused = [s for s in shot.reading.refused if s.reason in (NOT_LIKE_ANY, UNSURE)]
    seen = [s for s in (*shot.reading.symbols, *refused) if s.visible]
    largest = sorted(seen, key=_size, reverse=True)[:SHOWN]
    return tuple(sorted(largest, key=lambda s: (s.row, s.box[0])))


def chosen(symbols: Sequence[TrackedSymbol]) -> TrackedSymbol | None:
    """Which symbol is meant: the one that was chosen or captured last; then the largest that nobody reads; the largest.

    When the chosen one was lost from sight, the one that is read as what it was taught to be takes its place.
    """
    track, label = st.session_state.get(CHOSEN, (None, None))
    preferences = (
        [s for s in symbols if s.track == track],
        [s for s in symbols if label is not None and s.label == label],
        [s for s in symbols if s.label is None],
        list(symbols),
    )
    return next((max(found, key=_size) for found in preferences if found), None)


def _size(symbol: TrackedSymbol) -> int:
    return symbol.box[2] * symbol.box[3]


def choose(track: int) -> None:
    st.session_state[CHOSEN] = (track, None)


def capture(reader: LiveReader, is_camera: bool) -> None:
    """Takes the chosen symbol of the newest frame under the name that was typed."""
    if (label := _label()) is not None and _has_picture(reader, is_camera):
        _take(reader, label)


def start_series(reader: LiveReader, is_camera: bool) -> None:
    if (label := _label()) is not None and _has_picture(reader, is_camera):
        now = time.monotonic()
        st.session_state[SERIES] = Series(reader, label, SERIES_LENGTH, now, now + SERIES_ENDS_S)
        _say(f"Move the paper a little, or turn it: {SERIES_LENGTH} captures of “{written(label)}” are taken.")


def stop_series() -> None:
    st.session_state.pop(SERIES, None)


def _go_on_with_series(reader: LiveReader) -> None:
    series: Series | None = st.session_state.get(SERIES)
    now = time.monotonic()
    if series is None or now < series.next_s:
        return
    if series.reader is not reader:
        stop_series()
        _say("The picture comes from elsewhere now; what was captured is kept.", "warning")
    elif now > series.ends_s:
        stop_series()
        _say("The symbol was out of sight, or stood still, for too long; what was captured is kept.", "warning")
    elif _take(reader, series.label, by_itself=True):
        series.left, series.next_s = series.left - 1, now + SERIES_EVERY_S
        series.ends_s = now + SERIES_ENDS_S
        if series.left == 0:
            stop_series()


def _take(reader: LiveReader, label: str, by_itself: bool = False) -> bool:
    symbol = chosen(candidates(reader))
    if by_itself and symbol is not None and (symbol.track, label) != st.session_state.get(CHOSEN):
        series: Series = st.session_state[SERIES]
        if series.left < SERIES_LENGTH and symbol.label != label:
            return False  # the symbol is out of sight; no other one is taken for it
    if symbol is None:
        if not by_itself:
            _say("No symbol is in sight: write it large on plain paper and hold it before the camera.", "warning")
        return False
    try:
        taken = teaching().take(label, symbol.glyph)
    except InklingError as error:
        if not by_itself:
            _say(str(error), "warning")
        return False
    st.session_state[CHOSEN] = (symbol.track, label)
    count, name = len(teaching().of(label)), written(label)
    more = ENOUGH - count
    comes = f"{more} more, and it is read well; so far it is only guessed." if more > 0 else "It is read from now on."
    if taken.like is None:
        _say(f"Capture {count} of “{name}”. {comes}", "success" if more <= 0 else "info")
    else:
        _say(
            f"Capture {count} of “{name}”. {comes} It looks nearly like capture {taken.like}, though: write the symbol "
            "once more, move or turn the paper, so that the camera sees another view.",
            "warning",
        )
    return True


def undo() -> None:
    last = teaching().undo()
    if last is not None:
        _keep_gone((last,))
        _say(f"The last capture of “{written(last.label)}” was taken back.")


def remove(captured: Capture) -> None:
    teaching().remove(captured.number)
    _keep_gone((captured,))
    _say(f"A capture of “{written(captured.label)}” was removed.")


def forget(label: str) -> None:
    _keep_gone(teaching().forget(label))
    _say(f"“{written(label)}” was forgotten.")


def bring_back() -> None:
    teaching().bring_back(st.session_state.pop(GONE, ()))
    _say("What was taken away is back.")


def said() -> Said | None:
    return st.session_state.get(SAID)


def say_error(error: Exception) -> None:
    _say(str(error), "error")


def _keep_gone(captures: tuple[Capture, ...]) -> None:
    """What was taken away last can be brought back."""
    st.session_state[GONE] = captures


def _say(text: str, kind: str = "info") -> None:
    st.session_state[SAID] = Said(text, kind)


def _label() -> str | None:
    try:
        return as_label(st.session_state.get(NAME) or "")
    except InklingError:
        if (st.session_state.get(NAME) or "").strip():
            _say("This cannot be a name: use up to 40 letters, signs or pictograms.", "warning")
        else:
            _say("What is it? Write its name or sign into “This is a …” first, such as alpha, α or star.", "warning")
        return None


def _has_picture(reader: LiveReader, is_camera: bool) -> bool:
    age_s = reader.status().age_s
    if age_s is None or (is_camera and age_s > STALLED_S and not reader.settings.frozen):
        _say("No picture comes from the camera. Start it again; what was captured is kept.", "warning")
        return False
    return True
