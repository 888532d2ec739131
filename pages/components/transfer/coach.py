"""Coach: which samples would help most; drawn right here, taught again at once, and what they gained."""

from typing import TYPE_CHECKING

import streamlit as st

from core.reading import written
from pages.components.figure import show_figure
from pages.components.markup import plain
from pages.components.tiles import show_tiles
from pages.components.transfer.coach_rounds import Round, rounds_with
from pages.components.transfer.desk import Desk, no_letters
from pages.components.transfer.letters_edit import telling

if TYPE_CHECKING:
    from core.transfer.attempt import Attempt
    from core.transfer.coach import Request

METHODS = {"prototypes": "Prototypes", "head": "New last layer"}  # the frozen ones that are taught in about a second
AT_ONCE = 500  # pictures up to which it is measured without being asked
LABEL, SHEET, ASKED = "coach_label", "coach_sheet", "coach_asked"
A_SHEET = 5  # symbols that have room on the sheet
SHOWN = 30  # rounds in the figure and the table, the newest


def coach_panel(desk: Desk) -> None:
    """Measures, asks, takes what is drawn, and measures again."""
    if no_letters(desk):
        return
    with telling():
        method = st.segmented_control(
            "How it is taught", list(METHODS), default="prototypes", required=True, format_func=METHODS.get,
            key="coach_method", persist_state="session",
            help="Both leave the network as it is: prototypes answer with the nearest mean of a letter’s samples, a "
            "new last layer is learned. Either takes about a second, so that every drawing is measured at once.",
        )  # fmt: skip
        rounds = _measured(desk, method)
        if rounds:
            _standing(rounds, method)
            _ask(desk, rounds[-1].attempt)
            _history(rounds)


def _measured(desk: Desk, method: str) -> list[Round]:
    """The rounds up to this one; taught and measured now where it is new. Raises `InklingError`."""
    from pages.components.transfer.coach_rounds import known_rounds

    if rounds := known_rounds(desk, method):
        return rounds
    count = len(desk.letters.letters)
    if count > AT_ONCE and not st.button(
        f"Teach and measure {count:,} pictures", icon=":material/school:", type="primary", key="coach_measure"
    ):
        st.caption("So many take a while; the coach waits for you.")
        return []
    bar = st.progress(0.0, "Looking at the letters …")
    found = _attempt(desk, method, bar)
    bar.empty()
    return rounds_with(desk, method, found)


def _attempt(desk: Desk, method: str, bar) -> "Attempt":
    from core.networks import open_network
    from core.transfer.attempt import Attempt, Validating, attempt
    from core.transfer.methods import TransferConfig
    from core.transfer.preparation import letters_of

    found = None
    for event in attempt(open_network(desk.source), letters_of(desk.letters), TransferConfig(method)):
        if isinstance(event, Validating):
            bar.progress(event.done / event.total, f"Asking {event.done} of {event.total} times …")
        elif isinstance(event, Attempt):
            found = event
    assert found is not None  # nobody stops it
    return found


def _standing(rounds: list[Round], method: str) -> None:
    """How well the letters are read now, and what the last drawings gained."""
    now = rounds[-1].attempt
    validation = now.validation
    if validation is None:
        st.warning(
            "No letter can be held back, so nothing can be measured yet: each letter needs a second sample.",
            icon=":material/warning:",
        )
    else:
        low, high = validation.interval
        right, of = int(validation.right.sum()), len(validation.right)
        show_tiles(
            {"Right": f"{right:,} of {of:,}", "95 % interval": f"{low * 100:.0f}–{high * 100:.0f} %",
             "Taught in": f"{now.seconds:.1f} s"},
            {"95 % interval": "Where the share on very many such letters would lie (Wilson’s interval).",
             "Taught in": "Measuring included."},
        )  # fmt: skip
        st.caption(
            f"By {validation.kind} with {METHODS[method].lower()} on {now.source.name}: each letter is read by a "
            "network that was taught without it."
        )
    gain = rounds[-1].gain
    if gain is not None:
        said = f"{rounds[-1].added} added. {gain.sentence}"
        if gain.difference > 0:
            st.success(said, icon=":material/trending_up:")
        else:
            st.info(said, icon=":material/trending_flat:")


@st.fragment
def _ask(desk: Desk, now: "Attempt") -> None:
    """As a fragment: a stroke of the pen measures nothing anew."""
    from core.transfer.coach import advise

    requests = advise(now, now.letters)
    st.subheader(
        "Please draw",
        help="A rule of thumb: letters with few samples first, then those that are misread. In tests it did about as "
        "well as as many more of every letter, and better than many more of a few.",
    )
    labels = [request.label for request in requests]
    asked = len(now.letters.samples)  # with every round the most wanted letter is chosen anew
    if st.session_state.get(LABEL) not in labels or st.session_state.get(ASKED) != asked:
        st.session_state[LABEL], st.session_state[ASKED] = labels[0], asked
    chosen = st.segmented_control(
        "Letter", labels, required=True, key=LABEL, wrap=True, label_visibility="collapsed",
        format_func=lambda label: f"{_count(requests, label)} × {plain(written(label))}",
    )  # fmt: skip
    st.markdown(f"**{plain(written(chosen))}**: {plain(next(r.because for r in requests if r.label == chosen))}")
    with telling():
        _draw(desk, chosen, _count(requests, chosen))


def _count(requests: "tuple[Request, ...]", label: str) -> int:
    return next(request.count for request in requests if request.label == label)


def _draw(desk: Desk, label: str, count: int) -> None:
    """The sheet of the Draw page: what is found on it is offered as the letter asked for."""
    from pages.components.canvas import canvas
    from pages.components.transfer.letters_draw import clear_sheet
    from pages.components.transfer.letters_sheets import is_added, offer

    left, right = st.columns([6, 5], gap="large")
    with left:
        png = canvas(on_change=lambda: None)
    with right:
        if png is None or is_added(png, SHEET):
            st.caption(
                f"Draw {_some(count)} beside one another, each a little apart, as you write them. They are found one "
                "by one; when you add them, the network is taught again."
            )
        else:
            offer(desk, png, "drawing", label, SHEET, after=clear_sheet)


def _some(count: int) -> str:
    return f"{count} of them" if count <= A_SHEET else f"{A_SHEET} of the {count}"


def _history(rounds: list[Round]) -> None:
    """Every round with its interval, and what it gained."""
    import pandas as pd

    from core.report.transfer_figures import Series, Share, letters_figure

    if len(rounds) < 2:
        return
    st.subheader("The rounds")
    shown = rounds[-SHOWN:]
    shares = tuple(
        Share(str(r.number), v.accuracy, *v.interval, len(v.labels))
        for r in shown
        if (v := r.attempt.validation) is not None
    )
    show_figure(
        letters_figure([Series("right", shares)], "Right, round by round", "round", zoomed=True), "coach_rounds",
        "A point is the share of letters read rightly by networks that were taught without them, the bar its 95 % "
        "interval. The letters asked grow in number with each round, so the points are of different letters.",
    )  # fmt: skip
    st.dataframe(
        pd.DataFrame([_row(r) for r in shown]), hide_index=True, width="stretch", key="coach_table",
    )  # fmt: skip
    st.caption(
        "A gain is measured on the letters that were there before and after, paired; those drawn in between do not "
        "count in it. Within ± of its interval it may be chance."
    )


def _row(one: Round) -> dict[str, object]:
    validation, gain = one.attempt.validation, one.gain
    low, high = validation.interval if validation else (float("nan"),) * 2
    return {
        "round": one.number,
        "pictures": len(one.attempt.letters.samples),
        "drawn": one.added or "–",
        "right": f"{int(validation.right.sum())} of {len(validation.right)}" if validation else "–",
        "95 % interval": f"{low * 100:.0f} to {high * 100:.0f} %" if validation else "–",
        "gain (points)": "–" if gain is None else _points(gain.difference),
        "its interval": "–" if gain is None else f"{_points(gain.low)} to {_points(gain.high)}",
    }


def _points(share: float) -> str:
    return f"{100 * share + 0.0:+.1f}".replace("-", "−")
