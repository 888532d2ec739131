"""Greek Transfer, Teach and How sure: what was measured is shown with its interval, and what cannot be is said."""

import io

import numpy as np
import pytest
from PIL import Image

from core.data.strokes import PEN_PX, render, write
from core.transfer import job as jobs
from core.transfer.letters_set import Letter, LettersSet
from core.transfer.letters_store import save_letters
from core.transfer.teach_job import Plan, TeachJob
from pages.components.keys import NETWORK_PICKER, TRANSFER_START
from pages.components.transfer.desk import LETTERS, SECTION

PAGE = "pages/greek_transfer.py"
PATIENCE_S = 60


def png(picture: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(picture).save(content, "PNG")
    return content.getvalue()


def letters(name: str, each: dict[str, int]) -> LettersSet:
    rng = np.random.default_rng(0)
    return LettersSet(
        name,
        tuple(
            Letter(label, png(render(write(label, rng), rng.uniform(*PEN_PX))), f"{label} {i}")
            for label, count in each.items()
            for i in range(count)
        ),
    )


@pytest.fixture
def open_section(open_app, monkeypatch):
    """`open_section("Teach", letters)` → the page with that section of that set, taught to `report`."""
    monkeypatch.setattr(jobs, "_running", None)
    monkeypatch.setattr(jobs, "_ended", type(jobs._ended)())

    def open_(section: str, taught: LettersSet):
        save_letters(taught)
        app = open_app()
        for key, value in {SECTION: section, LETTERS: taught.name, NETWORK_PICKER: "report"}.items():
            app.session_state[key] = value
        app.switch_page(PAGE).run()
        app.run()  # AppTest hands kept choices over one run late; a browser does so at once
        assert not app.exception
        return app

    return open_


def finish(app) -> None:
    if (job := jobs.running()) is not None:
        job.join(PATIENCE_S)
    app.run()
    assert not app.exception, app.exception[0].stack_trace


def said(app) -> str:
    return "\n".join(
        block.value for kind in ("markdown", "caption", "warning", "info", "error") for block in app.get(kind)
    )


def test_one_click_teaches_and_every_figure_has_its_interval(open_section):
    app = open_section("Teach", letters("mine", {"alpha": 4, "beta": 4}))
    assert "report itself stays as it is" in said(app)
    app.number_input(key="transfer_epochs").set_value(2).run()
    app.button(key=TRANSFER_START).click().run()
    finish(app)
    job = jobs.ended("teach", "mine")
    assert [lesson.method for lesson in job.done] == ["prototypes", "head"]
    table = next(frame.value for frame in app.dataframe if "way to teach" in frame.value)
    for row, lesson in zip(table.itertuples(index=False), job.done, strict=True):
        found = lesson.attempt.validation
        assert row[1] == f"{found.accuracy * 100:.1f}".removesuffix(".0") + " %"
        assert f"to {found.interval[1] * 100:.1f}".removesuffix(".0") in row[2]
        assert row[4] == 102, "the last layer: (50 + 1) · 2"
    assert "95 % interval" in said(app)
    assert "no measure of how well it reads" in said(app)
    assert [figure for figure in app.get("plotly_chart") if "95 % intervals" in figure.proto.spec]
    assert len([button for button in app.button if button.key == "transfer_keep_it"]) == 1
    save_letters(letters("mine", {"alpha": 4, "beta": 5}))
    app.run()
    assert "was changed since" in said(app)


def test_a_letter_with_one_sample_is_said_before_and_after(open_section):
    app = open_section("Teach", letters("mine", {"alpha": 1, "beta": 1}))
    assert "one sample only of α, β" in said(app)
    jobs.start(TeachJob(Plan("report", letters("mine", {"alpha": 1, "beta": 1}), ("prototypes",))))
    finish(app)
    assert "Nothing can be said about how well it reads" in said(app)
    assert "these are the pictures that taught" in said(app)


def test_nothing_to_tell_apart(open_section):
    app = open_section("Teach", letters("mine", {"alpha": 3}))
    assert "at least two letters" in said(app)


def test_how_sure_says_it_in_words_and_with_a_curve(open_section):
    app = open_section("How sure", letters("mine", {"alpha": 5, "beta": 5}))
    app.button(key="sure_start").click().run()
    finish(app)
    job = jobs.ended("sure", "mine")
    right = int(job.attempt.validation.right.sum())
    assert f"<b>{right} of 10</b>" in "".join(block.proto.body for block in app.get("html"))
    assert "further letters" in said(app)
    assert all(sentence.split()[0] in said(app) for sentence in job.curve.advice)
    assert [figure for figure in app.get("plotly_chart") if "samples per letter" in figure.proto.spec]
