"""How sure: what so few samples allow to say, and how many more of which letter would help."""

from typing import TYPE_CHECKING

import streamlit as st

from core.transfer import METHODS as ALL_METHODS
from pages.components.figure import show_figure
from pages.components.markup import plain
from pages.components.transfer.desk import Desk, no_letters
from pages.components.transfer.teach import EPOCHS_AT_FIRST, STYLE, concerns_of

if TYPE_CHECKING:
    from core.transfer.attempt import Attempt
    from core.transfer.sure_job import SureJob

GUESS = " Dashed: a guess of how it goes on, from the shape of the curve; the less of the curve there is, the rougher."
METHOD, EPOCHS = "sure_method", "sure_epochs"
SLOW = ("finetune", "scratch", "top")


def honest_panel(desk: Desk) -> None:
    """The question, the measuring as it goes on, and the answer."""
    if no_letters(desk):
        return
    from pages.components.transfer.teach_live import live_panel

    st.html(STYLE)
    for said in concerns_of(desk):
        st.warning(plain(said), icon=":material/warning:")
    _question(desk)
    live_panel("sure")
    _answer(desk)


@st.fragment
def _question(desk: Desk) -> None:
    from core.report.transfer_tables import METHOD_TITLES

    with st.container(border=True, key="sure_settings"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            methods = [method for method in METHOD_TITLES if method in ALL_METHODS]
            method = st.selectbox(
                "Taught by", methods, format_func=lambda m: METHOD_TITLES[m], key=METHOD, persist_state="session",
                width=240,
            )  # fmt: skip
            epochs = EPOCHS_AT_FIRST
            if method not in ("prototypes", "neighbours"):
                epochs = st.number_input("Epochs", 1, 50, EPOCHS_AT_FIRST, key=EPOCHS, width=140)
            pressed = st.button("Measure", icon=":material/query_stats:", type="primary", key="sure_start")
        slow = " This way learns anew each time, so it takes minutes." if method in SLOW else ""
        st.caption(
            f"**{desk.source}** is taught again and again, each time without some of the letters, which are then read: "
            "first with nearly all samples, then with one a letter, two, and so on. It goes on in the background."
            f"{slow}"
        )
        if pressed:
            _start(desk, method, int(epochs))


def _start(desk: Desk, method: str, epochs: int) -> None:
    from core.transfer.job import start
    from core.transfer.methods import TransferConfig
    from core.transfer.sure_job import Question, SureJob

    job = SureJob(Question(desk.source, desk.letters, TransferConfig(method, epochs)))
    if start(job) is not job:
        st.warning("Something is being taught right now; wait for it, or stop it below.", icon=":material/info:")
        return
    st.rerun()


def _answer(desk: Desk) -> None:
    from core.transfer.job import ended, running
    from core.transfer.sure_job import KIND

    job: SureJob | None = ended(KIND, desk.letters.name)  # type: ignore[assignment]
    now = running()
    if job is None or (now is not None and (now.kind, now.name) == (KIND, job.name)):
        return  # what is being measured takes its place
    with st.container(key="sure_answer"):
        if job.state == "failed":
            st.error(plain(job.problem), icon=":material/error:")
        if job.state == "stopped":
            st.info("The measuring was stopped; what it knew by then is shown.", icon=":material/stop_circle:")
        if job.question.letters.letters != desk.letters.letters:
            st.info("The letters set was changed since; measure again.", icon=":material/sync:")
        if job.attempt is not None:
            _in_words(job)
            _letter_by_letter(job.attempt)
        if job.curve is not None:
            _growth(job)


def _in_words(job: "SureJob") -> None:
    from core.report.transfer_tables import METHOD_TITLES
    from pages.components.transfer.teach_result import percent_text

    attempt = job.attempt
    how = METHOD_TITLES[job.question.config.method]
    if attempt.validation is None:
        st.warning(
            "**Nothing can be said yet about how well these letters are read.** To test a letter, one of its samples "
            "must be held back, and another one must be left to teach. Bring a second sample of each.",
            icon=":material/warning:",
        )
        return
    found = attempt.validation
    right, count = int(found.right.sum()), len(found.labels)
    low, high = found.interval
    st.html(
        f'<div class="sure-number"><b>{right:,} of {count:,}</b> letters are read rightly by a network that never saw '
        f"them<span>{how}, from {job.question.source}; 95 % interval {percent_text(low)} to {percent_text(high)} %"
        "</span></div>"
    )
    st.markdown(_meaning(right, count, low))
    for note in attempt.notes:
        st.caption(plain(note))


def _meaning(right: int, count: int, low: float) -> str:
    """The interval in words."""
    wrong_at_worst = (1 - low) * 100
    said = (
        "None was read wrongly, yet that is no proof of perfection: "
        if right == count
        else f"{count - right:,} of {count:,} were read wrongly. "
    )
    begin = "with" if right == count else "With"
    return (
        f"{said}{begin} 95 % confidence at most {wrong_at_worst:.0f} in 100 further letters **written like these** are "
        "misread. Other people's hands may do worse: letters of theirs in a separate test set would tell (section "
        "Teach)."
    )


def _letter_by_letter(attempt: "Attempt") -> None:
    from core.report.transfer_figures import Series, letters_figure
    from core.report.transfer_tables import letter_shares

    if attempt.validation is None:
        return
    show_figure(
        letters_figure([Series("right", letter_shares(attempt.predictions))], "Right, letter by letter, held back"),
        "sure_letters",
        "A point is the share that was read rightly, the bar its 95 % interval. Long bars mean few samples.",
    )


def _growth(job: "SureJob") -> None:
    from core.report.transfer_figures import growth_figure
    from core.report.transfer_tables import METHOD_TITLES

    curve = job.curve
    show_figure(
        growth_figure(curve.counts, curve.accuracies, curve.low, curve.high, curve.expected),
        "sure_growth",
        "How well letters that were held back are read, by how many samples of each taught."
        + ("" if curve.expected is None else GUESS),
    )
    if curve.method != job.question.config.method:
        st.caption(
            f"Measured with a {METHOD_TITLES[curve.method].lower()} in its place: hundreds of trainings of all layers "
            "would take too long."
        )
    if curve.check is not None:
        check = curve.check
        st.caption(
            f"The guess put to the test: from up to {check.upto} samples of each it would have expected "
            f"{check.expected:.1%} with {check.at}; measured were {check.measured:.1%}."
        )
    _advice(job)


def _advice(job: "SureJob") -> None:
    from core.transfer.coach import advise

    st.markdown("##### What would help")
    for sentence in job.curve.advice:
        st.markdown(f"- {plain(sentence)}")
    found = job.attempt.validation
    if found is not None and found.right.all():
        return  # it was said already: more would only make it surer
    for request in advise(job.attempt, job.attempt.letters):
        from core.reading import written

        st.markdown(f"- {request.count} more of **{plain(written(request.label))}**: {plain(request.because)}")
