"""What was taught: every way with what it really reaches, then everything about one of them."""

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages.components.figure import show_figure
from pages.components.keys import TRANSFER_RESULT
from pages.components.markup import plain
from pages.components.transfer.desk import Desk

if TYPE_CHECKING:
    from core.report.transfer_figures import Share
    from core.report.transfer_tables import MethodRow
    from core.transfer.teach_job import Lesson, TeachJob

CHOSEN, PART = "transfer_chosen", "transfer_part"
TRAINING_ALONE = (
    "Right on the letters that taught is no measure of how well it reads: a network can learn a handful of pictures by "
    "heart. It stands beside the others only to show when that has happened."
)


def was_taught(desk: Desk) -> "TeachJob | None":
    """The last teaching of this letters set, while the server remembers it."""
    from core.transfer.job import ended
    from core.transfer.teach_job import KIND

    return ended(KIND, desk.letters.name)  # type: ignore[return-value]


def result_panel(desk: Desk) -> None:
    from core.transfer.job import running

    job, now = was_taught(desk), running()
    if job is None or (now is not None and (now.kind, now.name) == (job.kind, job.name)):
        return  # what is being taught takes its place
    with st.container(key=TRANSFER_RESULT):
        _how_it_ended(job, desk)
        if job.done:
            _rows(job)
            _one(job)


def _how_it_ended(job: "TeachJob", desk: Desk) -> None:
    from core.transfer.concerns import listed
    from pages.components.transfer.teach_live import title_of

    test = f", tested on “{plain(job.plan.test.name)}”" if job.plan.test else ""
    st.subheader(f"What {job.plan.source} learned", anchor=False)
    st.caption(
        f"From “{plain(job.name)}”: {len(job.plan.letters.letters)} pictures of {len(job.plan.letters.classes)} letters"
        f"{test}."
    )
    if job.state == "stopped":
        st.info("The teaching was stopped. What had ended before is shown; of the rest nothing is.",
                icon=":material/stop_circle:")  # fmt: skip
    if job.state == "failed":
        st.error(plain(job.problem), icon=":material/error:")
    if job.plan.letters.letters != desk.letters.letters:
        st.info("The letters set was changed since; teach again to have the changes in.", icon=":material/sync:")
    if job.left_out:
        st.caption(f"Left out of the test set, since they were not taught: {plain(listed(list(job.left_out)))}.")
    for lesson in job.lessons:
        if lesson.state == "failed" and job.done:
            st.warning(f"{title_of(job, lesson)}: {plain(lesson.problem)}", icon=":material/warning:")


def _rows(job: "TeachJob") -> None:
    from core.report.transfer_figures import methods_figure
    from core.report.transfer_tables import method_row, method_series, ranked
    from pages.components.transfer.teach_live import title_of

    rows = ranked([method_row(title_of(job, lesson), lesson.attempt) for lesson in job.done])
    st.markdown(_verdict(rows))
    st.dataframe(_table(rows), hide_index=True, width="stretch", key="transfer_methods", column_config=_columns(rows))
    st.caption(TRAINING_ALONE)
    if series := method_series(rows):
        show_figure(
            methods_figure(series),
            "transfer_methods_figure",
            "A point is what was measured, the bar where the accuracy on very many such letters lies with 95 % "
            "confidence: wide, since there are few. Where bars overlap, it is open which way is better.",
        )


def _verdict(rows: "list[MethodRow]") -> str:
    """The plain answer, above the table."""
    measured = [row for row in rows if row.decisive]
    if not measured:
        return (
            ":orange[:material/warning:] **Nothing can be said about how well it reads.** A letter with one sample "
            "only cannot be held back to test; add a second sample of each, or choose a test set."
        )
    leader = max(measured, key=lambda row: row.decisive.value)
    how = "on the test set" if leader.tested else "in cross-validation"
    said = f"**{leader.title}** reads {share_text(leader.decisive)} {how}"
    if len(measured) == 1:
        return f"{said}."
    level = [row.title for row in measured if row.standing and row is not leader]
    if leader.standing == "best":
        return f":green[:material/star:] {said}: better than the others, whose intervals lie below."
    whom = "all others" if len(level) == len(measured) - 1 and len(level) > 1 else " and ".join(level)
    return f":grey[:material/balance:] {said}. Its interval overlaps with that of {whom}: which is better is open."


def share_text(share: "Share") -> str:
    """ "26 of 27 (96.3 %; 95 % interval 81.7 to 99.3 %)"."""
    right = round(share.value * share.count)
    return (
        f"{right:,} of {share.count:,} ({percent_text(share.value)} %; 95 % interval {percent_text(share.low)} to "
        f"{percent_text(share.high)} %)"
    )


def percent_text(share: float) -> str:
    """A counted share: unlike a probability it may be 100."""
    return f"{share * 100:.1f}".removesuffix(".0")


def _table(rows: "list[MethodRow]") -> pd.DataFrame:
    table = {
        "way to teach": [row.title for row in rows],
        "cross-validated": [_percent(row.validated) for row in rows],
        "its 95 % interval": [_interval(row.validated) for row in rows],
        "on the test set": [_percent(row.tested) for row in rows],
        "its interval": [_interval(row.tested) for row in rows],
        "on what taught": [f"{percent_text(row.taught)} %" for row in rows],
        "parameters learned": [row.learned for row in rows],
        "all right from epoch": ["–" if row.first_perfect is None else str(row.first_perfect) for row in rows],
        "seconds": [round(row.seconds, 2) for row in rows],
        "verdict": [row.standing for row in rows],
    }
    if not any(row.tested for row in rows):
        table = {name: column for name, column in table.items() if name not in ("on the test set", "its interval")}
    if not any(row.standing for row in rows):
        del table["verdict"]
    return pd.DataFrame(table)


def _columns(rows: "list[MethodRow]") -> dict[str, object]:
    return {
        "way to teach": st.column_config.Column(pinned=True),
        "parameters learned": st.column_config.NumberColumn(format="localized"),
        "all right from epoch": st.column_config.Column(
            help="The first epoch after which every letter that taught was read rightly; – where there was none, or "
            "no epochs."
        ),
        "seconds": st.column_config.NumberColumn(
            format="%.2f", help="Teaching and measuring together, cross-validation included."
        ),
        "on what taught": st.column_config.Column(help=TRAINING_ALONE),
        "verdict": st.column_config.Column(
            help="Best: no other interval reaches up to its own. Among the best, or undecided: intervals overlap."
        ),
    }


def _percent(share: "Share | None") -> str:
    return "–" if share is None else f"{percent_text(share.value)} %"


def _interval(share: "Share | None") -> str:
    return "–" if share is None else f"{percent_text(share.low)} to {percent_text(share.high)} %"


@st.fragment
def _one(job: "TeachJob") -> None:
    """Everything about one way; as a fragment, so that a click leaves the rest of the page alone."""
    from pages.components.transfer import teach_answers, teach_network
    from pages.components.transfer.teach_keep import keep_panel
    from pages.components.transfer.teach_live import loss_panel, title_of

    number = 0
    if len(job.done) > 1:
        titles = [title_of(job, lesson) for lesson in job.done]
        number = st.segmented_control(
            "Look closer at", range(len(titles)), default=_leading(job), format_func=lambda i: titles[i], required=True,
            key=f"{CHOSEN}_{job.began}", wrap=True,
        )  # fmt: skip
    lesson = job.done[number]
    for note in lesson.attempt.notes:
        st.caption(f":material/info: {plain(note)}")
    keep_panel(job, lesson)
    parts = {
        "Every picture": lambda: teach_answers.every_picture(job, lesson),
        "Each letter": lambda: teach_answers.each_letter(lesson),
        "Before and after": lambda: teach_network.before_and_after(lesson),
        "Loss": lambda: _loss(job, loss_panel),
    }
    if job.plan.keep_classes and lesson.attempt.forgetting is None:
        st.caption(
            f":material/info: What it forgot is not known: the test set that {job.plan.source} was tested on is not at "
            "hand here."
        )
    if lesson.attempt.forgetting is not None:
        parts["What it forgot"] = lambda: teach_answers.forgetting(lesson)
    for tab, (_, show) in zip(st.tabs(list(parts), key=PART, on_change="rerun"), parts.items(), strict=True):
        if tab.open:
            with tab:
                show()


def _loss(job: "TeachJob", loss_panel) -> None:
    if not any(lesson.epochs for lesson in job.lessons):
        st.caption("No way that was chosen learns epoch by epoch: there is no loss to watch.")
    loss_panel(job, "transfer_loss")


def _leading(job: "TeachJob") -> int:
    """The place of the way that measured best; of several as good, the first that can be kept."""

    def score(lesson: "Lesson") -> tuple[float, bool]:
        attempt = lesson.attempt
        measured = attempt.test_accuracy
        if measured is None and attempt.validation is not None:
            measured = attempt.validation.accuracy
        return (measured or 0.0, lesson.method != "neighbours")

    return max(range(len(job.done)), key=lambda i: score(job.done[i]))
