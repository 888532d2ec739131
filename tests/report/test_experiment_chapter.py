"""The study's chapter: the answer with its intervals, the confirmation with its looks, every trial."""

import json

import pytest

from core.bench.studies import STUDY, fill
from core.experiments.looks import Look, Looks
from core.experiments.origin import ORIGIN
from core.experiments.storage import Storage
from core.experiments.study import Study
from core.networks.store import own_shelf
from core.report.document import Chapter, Code, Figure, Heading, Table, Text
from core.report.experiment_chapter import study_chapter, study_html
from core.report.experiment_hook import experiment_chapter

ASKED = Study.from_json(STUDY.to_json() | {"question": "Is <b>dropout</b> good?", "hypothesis": "It is & it helps."})


@pytest.fixture
def storage(inkling_home) -> Storage:
    storage = Storage()
    fill(storage, ASKED, trials=9)
    return storage


def texts(chapter: Chapter) -> str:
    return " ".join(block.text for block in chapter.blocks if isinstance(block, Text | Heading))


def test_it_tells_question_answer_and_every_trial(storage):
    chapter = study_chapter(ASKED, storage)
    said = texts(chapter)
    assert "Expected before the run: It is & it helps." in said
    assert "The best of 9 finished trials is trial " in said
    assert "No trial was confirmed." in said
    effects, *_, trials = [block for block in chapter.blocks if isinstance(block, Table)]
    assert {row[0] for row in effects.rows} == {"Dropout", "Filters", "Activation", "Learning rate"}
    assert len(trials.rows) == 9
    assert [len(row) for row in trials.rows] == [len(trials.columns)] * 9
    figures = [block for block in chapter.blocks if isinstance(block, Figure)]
    assert all(figure.about and figure.figure.layout.title.text for figure in figures)
    (code,) = [block for block in chapter.blocks if isinstance(block, Code)]
    assert 'strategy = "random"' in code.text
    html = study_html(ASKED, storage).decode()
    assert "Is &lt;b&gt;dropout&lt;/b&gt; good?" in html
    assert "<b>dropout" not in html


def test_a_confirmation_stands_in_it_with_its_looks(storage):
    rest = (0, (1, 2), 3, ("key",), "finished", (0.9, 0.91), (0.88, 0.9), 300, 0.85, 0.92)
    Looks(storage).write(Look(ASKED.name, ASKED.dataset, *rest, searched=(0.95,)))
    chapter = study_chapter(ASKED, storage)
    assert "looked at once for this study, and once by all studies" in texts(chapter)
    Looks(storage).write(Look("other", ASKED.dataset, *rest))
    chapter = study_chapter(ASKED, storage)
    assert "once for this study, and 2 times by all studies" in texts(chapter)
    assert "its figures begin to flatter" in texts(chapter)
    rows = next(block.rows for block in chapter.blocks if isinstance(block, Table) and "measured" in block.columns)
    assert rows[2][:3] == ["New seeds, test set", "89.00%", "85.00% to 92.00%"]
    assert rows[0][2] == "–"  # one training: no interval


def test_a_network_that_was_kept_has_the_chapter_others_have_none(storage):
    kept = own_shelf() / "kept"
    kept.mkdir(parents=True)
    origin = {
        "study": ASKED.name, "storage": storage.url, "question": ASKED.question, "trial": 4,
        "configuration": {"dropout": 0.3}, "accuracy": 0.9,
    }  # fmt: skip
    (kept / ORIGIN).write_text(json.dumps(origin))
    assert experiment_chapter("digits") is None
    found = experiment_chapter("kept")
    assert found.title == "The study"
    assert "trial 4 of the study 'many'" in texts(found)
    assert "Every trial" in texts(found)
    (kept / ORIGIN).write_text(json.dumps(origin | {"study": "gone"}))
    without = texts(experiment_chapter("kept"))
    assert "In the search it reached 90.00% on validation samples." in without
    assert "There is no study 'gone'" in without


def test_a_study_without_a_finished_trial_has_a_chapter_too(storage):
    fresh = Study("Nothing yet?", name="fresh", dataset="digits-8x8", dimensions={"dropout": (0.1, 0.5)})
    storage.keep(fresh)
    assert "No trial was completed" in texts(study_chapter(fresh, storage))
