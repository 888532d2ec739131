"""Teaching in the background: one job at a time, stopped at any moment, with nothing half done left behind."""

import io
import threading
import time

import numpy as np
import pytest
from PIL import Image

from core.data.strokes import PEN_PX, render, write
from core.networks import open_network
from core.transfer import job as jobs
from core.transfer.concerns import concerns
from core.transfer.job import REMEMBERED, Job
from core.transfer.letters_set import Letter, LettersSet
from core.transfer.preparation import letters_of
from core.transfer.teach_job import Plan, TeachJob

pytestmark = pytest.mark.usefixtures("small_epochs")

PATIENCE_S = 60


def png(picture: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(picture).save(content, "PNG")
    return content.getvalue()


def letters(
    name: str = "mine", labels: tuple[str, ...] = ("alpha", "beta"), each: int = 4, seed: int = 0
) -> LettersSet:
    rng = np.random.default_rng(seed)
    return LettersSet(
        name,
        tuple(
            Letter(label, png(render(write(label, rng), rng.uniform(*PEN_PX))), f"{label} {i}")
            for label in labels
            for i in range(each)
        ),
    )


@pytest.fixture(autouse=True)
def fresh_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are the process's; each test has its own."""
    monkeypatch.setattr(jobs, "_running", None)
    monkeypatch.setattr(jobs, "_ended", type(jobs._ended)())


def run(plan: Plan) -> TeachJob:
    job = TeachJob(plan)
    assert jobs.start(job) is job
    job.join(PATIENCE_S)
    assert not job.running
    return job


class Waiting(Job):
    """A job that waits until it is let go or stopped."""

    kind = "waiting"
    progress = 0.5

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.let_go = threading.Event()

    def _work(self) -> None:
        while not self.let_go.wait(0.005):
            self.stop_event.check()


def test_one_job_at_a_time_seen_by_everybody():
    first, second = Waiting("first"), Waiting("second")
    assert jobs.start(first) is first
    assert jobs.start(second) is first
    assert jobs.running() is first
    first.let_go.set()
    first.join(PATIENCE_S)
    assert (first.state, jobs.running()) == ("finished", None)
    assert jobs.ended("waiting", "first") is first
    assert jobs.start(second) is second
    second.stop()
    assert second.stopping or not second.running
    second.join(PATIENCE_S)
    assert second.state == "stopped"


def test_only_the_newest_jobs_are_remembered():
    for number in range(REMEMBERED + 2):
        job = Waiting(str(number))
        job.let_go.set()
        jobs.start(job)
        job.join(PATIENCE_S)
    assert jobs.ended("waiting", "0") is None
    assert jobs.ended("waiting", str(REMEMBERED + 1)) is job


def test_two_ways_are_taught_measured_and_kept_and_the_source_stays():
    before = open_network("report").read_weights()
    job = run(Plan("report", letters(), ("prototypes", "head"), epochs=2, test=letters("others", each=3, seed=1)))
    assert (job.state, job.progress) == ("finished", 1.0)
    prototypes, head = job.lessons
    assert [epoch.epoch for epoch in head.epochs] == [1, 2]
    assert prototypes.epochs == []
    assert head.attempt.trainable == 102
    assert len(head.attempt.predictions) == 6
    assert {job.origins[p.image] for p in head.attempt.predictions} >= {"alpha 0", "beta 2"}
    assert head.attempt.network.spec.classes == 2
    assert head.kept == ()
    assert open_network("report").read_weights() == before


def test_both_preparations_and_a_test_set_with_other_letters():
    test = letters("others", ("beta", "gamma"), each=2, seed=1)
    job = run(Plan("report", letters(), ("prototypes",), ("ours", "course"), test=test))
    assert [lesson.preparation for lesson in job.lessons] == ["ours", "course"]
    assert job.left_out == ("gamma",)
    assert {p.actual for lesson in job.done for p in lesson.attempt.predictions} == {"beta"}


def test_what_cannot_be_taught_is_said_in_a_sentence(table_network):
    for plan, said in (
        (Plan("gone", letters(), ("head",)), "no trained network"),
        (Plan("rows", letters(), ("head",)), "rows of a table"),
        (Plan("report", letters(labels=("alpha",)), ("head",)), "one letter only"),
        (Plan("report", letters(), ("head",), test=letters("others", ("gamma",))), "none of the letters"),
    ):
        job = run(plan)
        assert (job.state, job.done) == ("failed", ())
        assert said in job.problem


def test_stopped_in_the_middle_nothing_of_that_way_is_left():
    job = TeachJob(Plan("report", letters(), ("prototypes", "finetune"), epochs=200))
    jobs.start(job)
    deadline = time.monotonic() + PATIENCE_S
    while not job.lessons[1].epochs and time.monotonic() < deadline:
        time.sleep(0.01)
    job.stop()
    job.join(PATIENCE_S)
    assert job.state == "stopped"
    assert [lesson.attempt is None for lesson in job.lessons] == [False, True]
    assert jobs.running() is None


def test_what_is_wrong_with_a_set_is_said_before_it_is_taught():
    some = letters(each=2)
    blank = Letter("beta", png(np.full((60, 60), 255, np.uint8)), "blank")
    clash = Letter("gamma", some.letters[0].png, "again")
    spoiled = LettersSet("mine", (*some.letters, blank, clash))
    said = concerns(spoiled, letters_of(spoiled))
    assert len(said) == 3
    assert "1 of 6 pictures (β: 1)" in said[0]
    assert "one sample only of γ" in said[1]
    assert "under α and γ" in said[2]
    assert concerns(some, letters_of(some)) == ()
