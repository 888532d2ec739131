"""Work in a thread: it finishes, is stopped, or fails with a sentence; and it tells how long the rest may take."""

import threading
from collections.abc import Callable

import pytest

from core.errors import DataError
from core.work import CountedWork, StopAtOnce, Stopped

PATIENCE_S = 20


class Steps(CountedWork):
    """A hundred steps; `each` is done at every one of them."""

    kind = "steps"

    def __init__(self, each: Callable[["Steps"], object] = lambda work: None) -> None:
        super().__init__(100)
        self.each = each
        self.ends: list[tuple[str, str]] = []  # the state before and after

    def _work(self) -> None:
        while self.done < self.total:
            self.stop_event.check()
            self.each(self)
            self.done += 1

    def _end(self, state: str) -> None:
        self.ends.append((self.state, state))
        super()._end(state)


def ended(work: Steps) -> Steps:
    assert work.begin() is work
    work.join(PATIENCE_S)
    assert not work.running
    assert not work.stopping
    assert work.ends == [("running", work.state)]
    return work


def test_it_finishes_in_a_thread_of_its_own():
    threads = set()
    work = ended(Steps(lambda work: threads.add(threading.current_thread().name)))
    assert (work.state, work.problem, work.progress) == ("finished", "", 1.0)
    assert threads == {"steps"}
    assert work.seconds == work.seconds > 0, "the clock stands still"


def test_it_stops_where_it_asks():
    def twice(work: Steps) -> None:
        if work.done == 1:
            work.stop()
            assert work.stopping

    work = ended(Steps(twice))
    assert (work.state, work.problem, work.done) == ("stopped", "", 2)


def test_what_the_user_can_act_on_is_told_in_its_own_words(caplog):
    def refuse(work: Steps) -> None:
        raise DataError("There are no letters; collect some.")

    work = ended(Steps(refuse))
    assert (work.state, work.problem) == ("failed", "There are no letters; collect some.")
    assert not caplog.records


def test_what_nobody_expected_is_told_and_logged(caplog):
    work = ended(Steps(lambda work: 1 / 0))
    assert work.state == "failed"
    assert work.problem == "This broke off, and nothing was changed (ZeroDivisionError: division by zero)."
    assert caplog.records[0].exc_info[0] is ZeroDivisionError


def test_the_rest_takes_as_long_as_what_is_done():
    work = Steps()
    work.began -= 30
    assert work.seconds_left is None
    work.done = 25
    assert work.seconds_left == pytest.approx(90, abs=1)
    assert CountedWork().progress == 0


def test_a_stop_event_that_raises():
    stop = StopAtOnce()
    assert not stop.is_set()
    stop.asked.set()
    for ask in (stop.check, stop.is_set):
        with pytest.raises(Stopped):
            ask()
