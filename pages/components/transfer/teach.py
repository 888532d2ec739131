"""Teach: choose ways of teaching, watch them learn, then look at what each really reaches."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import InklingError
from pages.components.keys import TRANSFER_START
from pages.components.transfer.desk import Desk, no_letters
from pages.components.transfer.teach_test import NO_ARCHIVE, choose_test

if TYPE_CHECKING:
    from core.transfer.teach_job import Plan

STYLE = Path(__file__).with_suffix(".css")
METHODS = {  # in the order in which they are taught: the quick ones first
    "prototypes": "a letter is the mean of its samples as the network sees them; the nearest mean is the answer",
    "head": "all weights stay as they are but a last layer of its own, learned on features computed once",
    "neighbours": "the samples most alike vote; measured to compare, no network to keep",
    "top": "the dense layers learn on, the filters stay as they are",
    "finetune": "every weight learns on, from samples changed anew each epoch; takes longest",
    "scratch": "the same network with random weights: what the transfer is worth",
}
AT_FIRST = ("prototypes", "head")
PREPARATIONS = {
    "ours": ("Cut out", ("ours",)),
    "course": ("The course's", ("course",)),
    "both": ("Both, to compare", ("ours", "course")),
}
EPOCHS_AT_FIRST, MOST_EPOCHS = 8, 200
FEW = 400  # pictures that are prepared at once, to say what is wrong with them before anything is taught
PLAN_KEY = "transfer_plan"


def teach_panel(desk: Desk) -> None:
    """The settings, then what is being taught, then what was taught last."""
    if no_letters(desk):
        return
    from pages.components.transfer.teach_live import live_panel
    from pages.components.transfer.teach_result import result_panel

    st.html(STYLE)
    _settings(desk)
    live_panel("teach")
    result_panel(desk)


@st.fragment
def _settings(desk: Desk) -> None:
    """As a fragment: a tick leaves the results below alone."""
    from pages.components.markup import plain
    from pages.components.transfer.teach_result import was_taught

    with st.container(border=True, key="transfer_settings"):
        left, right = st.columns([3, 2], gap="large")
        with left:
            methods = _choose_methods()
        with right:
            preparation = st.segmented_control(
                "How the pictures become glyphs", list(PREPARATIONS), default="ours", required=True, wrap=True,
                format_func=lambda name: PREPARATIONS[name][0], key="transfer_preparation", persist_state="session",
                help="Cut out: the symbol is found, cut out and centred, as everywhere in Inkling. The course's: the "
                "whole picture made smaller and cropped to 28×28, wherever the symbol stands.",
            )  # fmt: skip
            epochs = st.number_input(
                "Epochs", 1, MOST_EPOCHS, EPOCHS_AT_FIRST, key="transfer_epochs", persist_state="session",
                help="An epoch is about 1,000 examples: every letter as often as it takes. Prototypes and nearest "
                "neighbours need none.",
            )  # fmt: skip
            keep_classes = st.toggle(
                "Keep what it reads already", key="transfer_keep", persist_state="session",
                help="The letters come to the classes that the network knows, so that it reads both; what it loses of "
                "the old ones is measured. Otherwise the letters take their place.",
            )  # fmt: skip
            test, problem = choose_test(desk)
        if problem == NO_ARCHIVE:
            st.info(problem, icon=":material/info:")
        elif problem:
            st.error(plain(problem), icon=":material/error:")
        if not methods:
            st.info("Choose at least one way to teach.", icon=":material/info:")
        from core.transfer.job import running

        ready = bool(methods) and not problem and running() is None
        if st.button(
            "Teach", icon=":material/school:", type="primary", key=TRANSFER_START, disabled=not ready,
        ) and ready:  # fmt: skip
            from core.transfer.teach_job import Plan

            _start(
                Plan(
                    desk.source, desk.letters, methods, PREPARATIONS[preparation][1], int(epochs), keep_classes,
                    test=test,
                )
            )  # fmt: skip
        last = was_taught(desk)
        if last is None:
            st.caption(_what_will_happen(desk, methods, keep_classes))
        if last is None or last.plan.letters.letters != desk.letters.letters:
            for said in _concerns(desk):
                st.warning(plain(said), icon=":material/warning:")


def _choose_methods() -> tuple[str, ...]:
    from core.report.transfer_tables import METHOD_TITLES

    st.markdown("**Ways to teach**, side by side", help="All are measured in the same way, on the same letters.")
    chosen = [
        method
        for method, about in METHODS.items()
        if st.checkbox(
            f"**{METHOD_TITLES[method]}**: {about}.", method in AT_FIRST, key=f"transfer_method_{method}",
            persist_state="session", wrap=True,
        )
    ]  # fmt: skip
    return tuple(chosen)


def _what_will_happen(desk: Desk, methods: tuple[str, ...], keep_classes: bool) -> str:
    count, classes = len(desk.letters.letters), len(desk.letters.classes)
    besides = " besides what it reads already" if keep_classes else ""
    return (
        f"A copy of **{desk.source}** learns {classes} letters from {count} pictures{besides}; {desk.source} itself "
        f"stays as it is. Then {'each way' if len(methods) > 1 else 'it'} is measured by cross-validation: every "
        "picture is read by a network that was taught without it. Nothing is kept until you say so."
    )


def _concerns(desk: Desk) -> tuple[str, ...]:
    """What is wrong with the set, where finding it out takes no time."""
    if len(desk.letters.letters) > FEW:
        return ()
    return concerns_of(desk)


def concerns_of(desk: Desk) -> tuple[str, ...]:
    from core.transfer.concerns import concerns
    from core.transfer.preparation import letters_of

    try:
        return concerns(desk.letters, letters_of(desk.letters))
    except InklingError as error:
        return (str(error),)


def _start(plan: "Plan") -> None:
    from core.transfer.job import start
    from core.transfer.teach_job import TeachJob

    job = TeachJob(plan)
    if start(job) is not job:
        st.warning("Somebody is teaching right now; wait for it, or stop it below.", icon=":material/hourglass_empty:")
        return
    st.rerun()


def seconds_text(seconds: float) -> str:
    """ "about 4 s", "about 3 min"."""
    return f"{max(1, math.ceil(seconds))} s" if seconds < 90 else f"{seconds / 60:.0f} min"
