"""What was taught as a report to take away, whether or not its network is kept."""

import re
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from core.transfer.teach_job import Lesson, TeachJob


def report_button(job: "TeachJob", lesson: "Lesson") -> None:
    """One HTML file: source, method, parameters, loss, accuracies with intervals, every picture with its answer."""

    def make() -> bytes:
        from core.report.transfer_blocks import attempt_report

        assert lesson.attempt is not None
        return attempt_report(lesson.attempt, job.origins)

    name = re.sub(r"[^\w-]+", "-", job.name.removeprefix("example: ")).strip("-") or "letters"
    st.download_button(
        "Download the report", make, f"{name}-{lesson.method}-report.html", "text/html", key="transfer_report",
        on_click="ignore", icon=":material/description:",
        help="One page that opens in any browser: source, parameters before and after, loss by epoch, accuracies with "
        "intervals, letter by letter, every picture with its answer.",
    )  # fmt: skip
