"""What the taught network answers: every picture, letter by letter, and what it forgot of its old classes."""

from html import escape
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages.components.figure import show_figure

if TYPE_CHECKING:
    from core.transfer.attempt import Attempt, Prediction
    from core.transfer.teach_job import Lesson, TeachJob

PAGE = 60
WRONG, ALL = "wrong", "all"
MEASURED_ON = {
    "test": "Pictures of the test set, read by the network that was taught.",
    "cross-validation": "The letters themselves, each read by a network that was taught without it.",
    "training": "No letter could be held back and there is no test set: these are the pictures that taught, which it "
    "may know by heart. They say nothing about how well it reads.",
}


def every_picture(job: "TeachJob", lesson: "Lesson") -> None:
    """Wrong ones first, then the least sure; filtered, as cards, and as a table to take away."""
    attempt = lesson.attempt
    _measured_on(attempt)
    found = sorted(attempt.predictions, key=lambda p: (p.predicted == p.actual, p.confidence))
    wrong = [p for p in found if p.predicted != p.actual]
    labels = list(dict.fromkeys(p.actual for p in attempt.predictions))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        what = st.segmented_control(
            "Show", [ALL, WRONG], default=ALL, required=True, key="transfer_pictures_what",
            format_func=lambda w: f"all {len(found):,}" if w == ALL else f"{len(wrong):,} wrong",
        )  # fmt: skip
        only = st.multiselect(
            "Only these letters", labels, format_func=_written, key="transfer_pictures_letters", width=320,
            placeholder="all letters",
        )  # fmt: skip
    shown = [p for p in (found if what == ALL else wrong) if not only or p.actual in only]
    if not shown:
        st.success("None: every one of these is read rightly.", icon=":material/check_circle:")
        return
    page = 1
    if (pages := -(-len(shown) // PAGE)) > 1:
        page = st.pagination(pages, max_visible_pages=5, key=f"transfer_pictures_page_{what}_{len(shown)}")
    st.html(f'<div class="letter-cards">{"".join(_cards(job, attempt, shown[(page - 1) * PAGE : page * PAGE]))}</div>')
    st.caption("What it is read as, and with what confidence; wrong ones first, then the least sure.")
    with st.expander("As a table", icon=":material/table:"):
        st.dataframe(_table(job, shown), hide_index=True, width="stretch", key="transfer_pictures_table")


def _cards(job: "TeachJob", attempt: "Attempt", shown: "list[Prediction]") -> list[str]:
    from core.report.figures import percent
    from core.report.sample_figures import picture_address

    of = attempt.test or attempt.letters
    glyphs = dict(zip(of.pictures, of.samples.images.numpy(), strict=True))
    cards = []
    for p in shown:
        right = p.predicted == p.actual
        actual, answer = escape(_written(p.actual)), escape(_written(p.predicted or "nothing"))
        said = f"<b>{answer}</b>" if right else f"<b>✗ {answer}</b> is {actual}"
        glyph = glyphs.get(p.image)
        picture = (
            f'<img alt="{actual}, read as {answer}" src="{picture_address(glyph, scale=3)}">'
            if glyph is not None
            else '<div class="lost">no symbol found</div>'
        )
        sure = percent(p.confidence) if p.predicted else "–"
        cards.append(
            f'<figure class="{"right" if right else "wrong"}" title="{escape(_origin(job, p.image))}">{picture}'
            f"<figcaption>{said}<span>{sure}</span></figcaption></figure>"
        )
    return cards


def _table(job: "TeachJob", shown: "list[Prediction]") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "picture": [_origin(job, p.image) for p in shown],
            "actual": [_written(p.actual) for p in shown],
            "predicted": [_written(p.predicted) if p.predicted else "nothing found" for p in shown],
            "confidence (%)": [round(min(p.confidence * 100, 99.9), 1) for p in shown],
            "right": [p.predicted == p.actual for p in shown],
        }
    )


def _origin(job: "TeachJob", image: str) -> str:
    """Where a picture comes from, for people."""
    return job.origins.get(image, image)


def each_letter(lesson: "Lesson") -> None:
    """Accuracy with its interval, letter by letter, and what is taken for what."""
    from core.report.result_figures import confusion_figure
    from core.report.transfer_figures import Series, letters_figure
    from core.report.transfer_tables import confusions, letter_shares

    attempt = lesson.attempt
    _measured_on(attempt)
    shares = letter_shares(attempt.predictions)
    left, right = st.columns(2, gap="large")
    with left:
        show_figure(
            letters_figure([Series("right", shares)]),
            "transfer_letters_figure",
            "A point is the share of a letter's pictures that is read rightly, the bar its 95 % interval: of nine "
            "pictures all right, it still reaches down to 70 %.",
        )
    with right:
        counts, names = confusions(attempt.predictions, attempt.classes)
        show_figure(
            confusion_figure(counts, names),
            "transfer_confusion",
            "A row for each letter, a column for what it is read as. Green on the diagonal is right; red is a mistake.",
        )
    st.dataframe(
        pd.DataFrame(
            {
                "letter": [_written(s.name) for s in shares],
                "pictures": [s.count for s in shares],
                "right (%)": [round(s.value * 100, 1) for s in shares],
                "at least (%)": [round(s.low * 100, 1) for s in shares],
                "at most (%)": [round(s.high * 100, 1) for s in shares],
            }
        ),
        hide_index=True, width="stretch", key="transfer_letters_table",
    )  # fmt: skip


def forgetting(lesson: "Lesson") -> None:
    """What became of the classes that it read before, on their own test set."""
    from core.report.transfer_figures import letters_figure
    from core.report.transfer_tables import forgetting_series

    found = lesson.attempt.forgetting
    low, high = found.lost_interval
    change = "lost" if found.lost >= 0 else "gained"
    sign = 1 if found.lost >= 0 else -1
    ends = sorted((sign * low * 100, sign * high * 100))
    st.markdown(
        f"**{abs(found.lost) * 100:.2f} points {change}** on the {len(found.after):,} samples of *{found.test_name}*: "
        f"{found.before.accuracy:.2%} right before, {found.after.accuracy:.2%} after (95 % interval of what is "
        f"{change}: {ends[0]:.2f} to {ends[1]:.2f} points)."
    )
    show_figure(
        letters_figure(forgetting_series(found), "The old classes, before and after", "class", zoomed=True),
        "transfer_forgetting",
        "Where the diamond lies below the point, the network reads the class less well since it knows the letters.",
    )
    if found.taken:
        st.markdown("**Taken for one another**, old classes and letters")
        st.dataframe(
            pd.DataFrame(
                {
                    "is": [_written(mixup.actual) for mixup in found.taken],
                    "read as": [_written(mixup.predicted) for mixup in found.taken],
                    "samples": [mixup.count for mixup in found.taken],
                }
            ),
            hide_index=True, width="stretch", key="transfer_taken",
        )  # fmt: skip


def _measured_on(attempt: "Attempt") -> None:
    if attempt.measured_on == "training":
        st.warning(MEASURED_ON["training"], icon=":material/warning:")
    else:
        st.caption(MEASURED_ON[attempt.measured_on])


def _written(label: str) -> str:
    from core.reading import written

    return written(label)
