"""The user's own hand: digits of their own, kept as a test set that no network has seen, and how each reads them."""

from html import escape
from pathlib import Path

import pandas as pd
import streamlit as st

from core.errors import InklingError
from core.networks import list_readers, open_network
from core.reading.own_hand import (
    LABELS,
    OwnHandScore,
    OwnSample,
    clear_own_hand,
    list_own_hand,
    list_removed,
    remove_own_hand,
    score_own_hand,
    undo_own_hand,
)
from core.report.sample_figures import picture_address
from pages.components.caches import fingerprint, recognizer
from pages.components.train.attempt import attempt, show_problem
from pages.components.train.hand_sheets import write_panel

STYLE = Path(__file__).with_suffix(".css")
PANEL = "hand"
SHOWN = "hand_shown"  # how many digits are on the page
AT_ONCE = 30
VERDICTS = {"all": "All", "right": "✓ Right", "wrong": "✗ Wrong", "refused": "? Refused"}


def hand_panel(network: str) -> None:
    """Writing digits, and how the network reads all that were ever kept."""
    st.html(STYLE)
    if not open_network(network).passport.reads_glyphs:
        st.info(
            f"**{network}** takes rows of a table and reads no handwriting, so your hand cannot test it. Choose a "
            "network that reads symbols at the top of the page.",
            icon=":material/info:",
        )
        return
    samples = list_own_hand()
    score = _score_of(network, samples) if samples else None
    if score:
        _headline(score, network)
    elif not samples:
        st.markdown(
            "**How well is *your* hand read?** Write the ten digits as you always do. They are kept as a test set of "
            "your own, which every network is measured on, today's and later ones."
        )
    write_panel()
    show_problem(PANEL)
    if samples:
        _digits(samples, score)
    _undo()
    if samples:
        _all_networks(samples)


def _score_of(network: str, samples: list[OwnSample]) -> OwnHandScore | None:
    """None, with the reason on the page, where the network cannot read these digits."""
    try:
        return _score(network, fingerprint(open_network(network).passport), tuple(s.name for s in samples))
    except InklingError as error:
        st.info(str(error), icon=":material/info:")
        return None


@st.cache_data(max_entries=64, show_spinner="Reading your digits …")
def _score(network: str, fingerprint: str, samples: tuple[str, ...]) -> OwnHandScore | None:
    """By the network and the digits' names: a digit that was kept never changes."""
    return score_own_hand(recognizer(network))


def _headline(score: OwnHandScore, network: str) -> None:
    parts = [("large", f"{score.accuracy:.1%}", f"of your digits are read right: {score.right} of {score.of}")]
    if score.test_accuracy is not None and score.gap_points is not None:
        parts.append(("", f"{score.test_accuracy:.2%}", "of its test samples"))
        parts.append(("", f"{_points(score.gap_points)} points", "own-hand gap: the test accuracy minus yours"))
    blocks = "".join(f'<div class="{kind}"><b>{value}</b><span>{about}</span></div>' for kind, value, about in parts)
    st.html(f'<div class="hand-score">{blocks}</div>')
    st.markdown(_meaning(score, network))
    if refused := int(score.refused.sum()):
        st.markdown(
            f":material/block: {refused} of them {_are(refused)} unlike any digit to it and would be refused; here the "
            "likeliest class counts, as it does in the test accuracy."
        )


def _meaning(score: OwnHandScore, network: str) -> str:
    """What so few digits can tell, in a sentence or two."""
    low, high = score.interval
    so_far = f"With {score.of} digits, 95 % confidence reaches from {low:.0%} to {high:.0%}"
    if score.test_accuracy is None:
        return f"{so_far}. The passport of {network} tells no test accuracy to compare with."
    least, most = (100 * (score.test_accuracy - share) for share in (high, low))
    gap = f"the gap from {_points(least)} to {_points(most)} points"
    if least > 0:
        return f"{so_far}, {gap}: **your hand is harder for {network} than its test set.**"
    if most < 0:
        return f"{so_far}, {gap}: **your hand is easier for {network} than its test set.**"
    return f"{so_far}, {gap}: **whether your hand is harder than the test set is undecided.** More digits tell more."


def _points(points: float) -> str:
    return f"{points:.1f}".replace("-", "−")


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _digits(samples: list[OwnSample], score: OwnHandScore | None) -> None:
    """Every digit as a card, the newest first; with what it is read as, where the network can read it."""
    st.subheader("Your digits", help="Each as the networks see it: cut out and brought to 28×28 pixels.")
    verdicts = _verdicts(score) if score else ["unread"] * len(samples)
    if score:
        samples = list(score.samples)
        chosen = st.segmented_control(
            "Which of your digits", list(VERDICTS), default="all", required=True, key="hand_filter", wrap=True,
            format_func=lambda kind: f"{VERDICTS[kind]} ({_count(verdicts, kind)})", label_visibility="collapsed",
        )  # fmt: skip
        kept = [i for i, verdict in enumerate(verdicts) if chosen in ("all", verdict)]
    else:
        kept = list(range(len(samples)))
    if not kept:
        st.caption("None.")
    shown = st.session_state.setdefault(SHOWN, AT_ONCE)
    with st.grid(min_column_width=105, key="hand_cards"):
        for i in _newest_first(kept, samples)[:shown]:
            with st.container(gap="xxsmall"):
                st.html(_card(samples[i], verdicts[i], *(_answer(score, i) if score else ("", 0.0))))
                st.button(
                    "Remove", key=f"hand_remove_{samples[i].name}", type="tertiary", width="stretch",
                    on_click=attempt, args=(PANEL, remove_own_hand, [samples[i].name]),
                )  # fmt: skip
    with st.container(horizontal=True):
        if len(kept) > shown:
            st.button(f"Show {min(AT_ONCE, len(kept) - shown)} more", key="hand_more", on_click=_show_more)
        st.button(
            "Remove all", icon=":material/delete:", key="hand_clear", on_click=attempt, args=(PANEL, clear_own_hand),
            help="All your digits go to Inkling's bin, from where they can be brought back for 30 days.",
        )  # fmt: skip


def _newest_first(kept: list[int], samples: list[OwnSample]) -> list[int]:
    """Those that were kept together stay in their order."""
    return sorted(kept, key=lambda i: samples[i].name.split("/")[1].rsplit("-", 1)[0], reverse=True)


def _show_more() -> None:
    st.session_state[SHOWN] += AT_ONCE


def _verdicts(score: OwnHandScore) -> list[str]:
    """Of each digit what the network does with it, refusing coming before right and wrong."""
    return [
        "refused" if refused else "right" if answer == label else "wrong"
        for refused, answer, label in zip(score.refused, score.predictions, score.labels, strict=True)
    ]


def _count(verdicts: list[str], kind: str) -> int:
    return len(verdicts) if kind == "all" else verdicts.count(kind)


def _answer(score: OwnHandScore, i: int) -> tuple[str, float]:
    return score.predictions[i], float(score.confidences[i])


def _card(sample: OwnSample, verdict: str, answer: str, confidence: float) -> str:
    answer, share = escape(answer), f"{'over ' if confidence > 0.999 else ''}{min(confidence, 0.999):.1%} sure"
    said = {
        "right": f"<b>✓ {answer}</b><span>{share}</span>",
        "wrong": f"<b>✗ {answer}</b>, is {sample.label}<span>{share}</span>",
        "refused": f"<b>? refused</b><span>is {sample.label}, likeliest {answer}</span>",
        "unread": f"<b>{sample.label}</b>",
    }[verdict]
    picture = picture_address(255 * sample.glyph, scale=3)
    about = f"your {sample.label}" + (f", read as {answer}" if verdict in ("right", "wrong") else "")
    return (
        f'<figure class="hand-card {verdict}"><img alt="{about}" src="{picture}">'
        f"<figcaption>{said}</figcaption></figure>"
    )


def _undo() -> None:
    """Brings back what was removed last; and then what was removed before that."""
    if not (removed := list_removed()):
        return
    count = len(removed[0].names)
    what = f"the {removed[0].names[0][0]}" if count == 1 else f"{count} digits"
    st.button(
        f"Undo: bring back {what}", icon=":material/undo:", key="hand_undo",
        on_click=attempt, args=(PANEL, undo_own_hand, removed[0].token),
    )  # fmt: skip


def _all_networks(samples: list[OwnSample]) -> None:
    """The same digits, read by every network that knows all ten."""
    st.subheader("Every network on your hand")
    readers = [passport for passport in list_readers() if set(LABELS) <= set(passport.classes)]
    names = tuple(sample.name for sample in samples)
    rows = []
    for passport in readers:
        try:
            score = _score(passport.name, fingerprint(passport), names)
        except InklingError as error:
            st.error(str(error), icon=":material/error:")
            continue
        if score:
            rows.append(_row(passport.name, score))
    table = pd.DataFrame(rows).sort_values("your hand", ascending=False, kind="stable") if rows else pd.DataFrame()
    percent = {name: st.column_config.NumberColumn(format="%.1f %%") for name in ("your hand", "from", "to")}
    st.dataframe(
        table, hide_index=True, width="stretch", key="hand_networks",
        column_config=percent | {"test accuracy": st.column_config.NumberColumn(format="%.2f %%"),
                                 "gap": st.column_config.NumberColumn(format="%.1f points")},
    )  # fmt: skip
    st.caption(
        "All read the same digits, each beside its own test set. “From” and “to” hold the accuracy with 95 % "
        "confidence: where they overlap, the order may be chance."
    )


def _row(name: str, score: OwnHandScore) -> dict[str, object]:
    low, high = score.interval
    return {
        "network": name,
        "your hand": 100 * score.accuracy,
        "test accuracy": None if score.test_accuracy is None else 100 * score.test_accuracy,
        "gap": score.gap_points,
        "right": f"{score.right} of {score.of}",
        "from": 100 * low,
        "to": 100 * high,
    }
