"""The league: measured once, kept, stopped and gone on with; what is damaged costs nobody else anything."""

import json
import shutil
import threading
import time

import numpy as np
import pytest
import torch

from core.data import Samples, load
from core.errors import NetworkError
from core.inspection import league, league_job
from core.inspection.corruptions import CORRUPTIONS, STRENGTHS, corrupt
from core.inspection.league import Standing, groups, league_dir, measure, sample, standing_of
from core.networks import NetworkSpec, list_readers, open_network, save_network
from core.networks.base import build
from core.work import Stopped

FIELDS = {
    "classes": tuple("0123456789"), "data": {"name": "strokes-digits"}, "seed": 3,
    "training": {"dataset": "strokes-digits"}, "metrics": {}, "temperature": 1.0, "refusal_threshold": 0.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """Two networks with random weights, tested on generated digits."""
    folder = tmp_path_factory.mktemp("shelf")
    for seed, name in enumerate(("one", "two")):
        torch.manual_seed(seed)
        save_network(build(NetworkSpec("report")), FIELDS | {"name": name}, folder)
    return folder


@pytest.fixture(autouse=True)
def home(shelf, inkling_home, monkeypatch):
    """Both in this test's store; 40 samples are enough here."""
    shutil.copytree(shelf, inkling_home / "networks")
    monkeypatch.setattr(league, "SAMPLES", 40)
    monkeypatch.setattr(league_job, "_latest", None)
    yield
    if (job := league_job.latest()) is not None:
        job.stop()
        job.join(10)


def wait(condition, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_the_table_is_counted_right():
    trained = open_network("one")
    standing = measure(trained)
    assert standing.complete
    drawn = sample(trained.passport)
    glyphs, labels = drawn.images.numpy(), drawn.labels.numpy()
    module = trained.module()
    for kind in ("blur", "elastic"):
        for row, strength in enumerate(STRENGTHS):
            inputs = torch.from_numpy(corrupt(glyphs, kind, strength)[:, None].astype(np.float32) / 255)
            with torch.no_grad():
                right = module.logits(inputs).argmax(1).numpy() == labels
            np.testing.assert_array_equal(standing.right[kind][row], right)
    every = np.concatenate([standing.right[kind] for kind in CORRUPTIONS])
    assert every.shape == (75, 40)
    mean, low, high = standing.mean
    assert mean == pytest.approx(every.mean())
    assert high - mean == pytest.approx(1.959964 * every.mean(0).std(ddof=1) / 40**0.5, rel=1e-4)
    assert 0 <= low <= mean <= high <= 1
    assert standing.accuracy("blur") == pytest.approx(standing.accuracies("blur").mean())


def test_the_samples_are_drawn_once_and_without_repeats(monkeypatch):
    monkeypatch.setattr(league, "SAMPLES", 300)
    passport = open_network("one").passport
    first, again = sample(passport), sample(open_network("two").passport)
    assert first.sha256 == again.sha256
    whole = load("strokes-digits", "test")
    assert len(first) == 300
    assert len(np.unique(first.images.numpy(), axis=0)) == 300
    assert len(set(first.labels.tolist())) == 10
    monkeypatch.setattr(league, "SAMPLES", 10**6)
    assert sample(passport).sha256 == whole.sha256


def test_what_is_kept_is_not_measured_again(monkeypatch):
    first = measure(open_network("one"))
    monkeypatch.setattr(league, "corrupt", lambda *_: pytest.fail("measured again"))
    again = measure(open_network("one"))
    assert again.complete
    for unit in first.right:
        np.testing.assert_array_equal(first.right[unit], again.right[unit])


def test_a_stop_keeps_what_is_whole_and_the_rest_is_measured_then():
    done: list[str] = []
    with pytest.raises(Stopped):
        measure(open_network("one"), done.append, lambda: len(done) == 4)
    standing = standing_of(open_network("one").passport)
    assert len(standing.right) == 4
    assert standing.missing == league.UNITS[4:]
    later: list[str] = []
    assert measure(open_network("one"), later.append).complete
    assert later == list(league.UNITS[4:])


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: "[1, 2]",
        lambda text: "[" * 100_000,
        lambda text: text.replace('"samples": 40', '"samples": 41'),
        lambda text: json.dumps(json.loads(text) | {"right": {"clean": "AAAA"}}),
        lambda text: json.dumps(json.loads(text) | {"right": {"clean": 7}}),
        lambda text: json.dumps(json.loads(text) | {"weights_sha256": "0" * 64}),
    ],
)
def test_a_damaged_file_is_measured_anew(damage):
    whole = measure(open_network("one"))
    (file,) = league_dir().iterdir()
    file.write_text(damage(file.read_text()))
    assert not standing_of(open_network("one").passport).right
    again = measure(open_network("one"))
    np.testing.assert_array_equal(again.right["noise"], whole.right["noise"])


def test_other_weights_or_another_version_are_another_measurement(monkeypatch):
    measure(open_network("one"))
    assert not standing_of(open_network("two").passport).right
    monkeypatch.setattr(league, "VERSION", 2)
    assert not standing_of(open_network("one").passport).right


def test_a_folder_that_cannot_be_written_is_told(inkling_home):
    (inkling_home / "league").write_text("a file in its place")
    with pytest.raises(NetworkError, match="cannot be written"):
        measure(open_network("one"))


def test_networks_of_the_same_data_and_classes_stand_together():
    found = groups(list_readers())
    assert found[("strokes-digits", tuple("0123456789"))] == ["one", "two"]
    assert set(found[("mnist", tuple("0123456789"))]) == {"digits", "report"}


def test_the_job_measures_all_in_the_background():
    job = league_job.start(["one", "two"])
    assert league_job.start(["two"]) is job  # one at a time
    job.join(60)
    assert not job.running
    assert job.state == "finished"
    assert job.done == job.total == job.measured == 32
    assert job.seconds_left == 0
    assert not job.errors
    assert all(standing_of(open_network(name).passport).complete for name in ("one", "two"))
    again = league_job.start(["one", "two"])
    again.join(60)
    assert (again.done, again.measured) == (32, 0)


def test_a_job_stops_in_mid_work_and_the_next_goes_on(monkeypatch):
    reached, go_on = threading.Event(), threading.Event()
    real, calls = league.corrupt, []

    def slow(glyphs, name, strength):
        calls.append((name, strength))
        if name == "shrink" and strength == 3:
            reached.set()
            assert go_on.wait(20)
        return real(glyphs, name, strength)

    monkeypatch.setattr(league, "corrupt", slow)
    job = league_job.start(["one", "two"])
    assert reached.wait(30)
    assert job.current == "one"
    assert job.seconds_left is not None
    job.stop()
    go_on.set()
    job.join(10)
    assert job.state == "stopped"
    assert not job.running
    assert standing_of(open_network("one").passport).missing[0] == "shrink"
    assert not standing_of(open_network("two").passport).right
    calls.clear()
    then = league_job.start(["one", "two"])
    then.join(60)
    assert then.state == "finished"
    assert then.measured == 32 - 3
    assert calls[0] == ("shrink", 1)


def test_a_damaged_network_is_told_and_the_others_are_measured(inkling_home):
    weights = inkling_home / "networks" / "one" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    job = league_job.start(["one", "nobody", "two"])
    job.join(60)
    assert job.state == "finished"
    assert "is damaged or was exchanged" in job.errors["one"]
    assert "no trained network 'nobody'" in job.errors["nobody"]
    assert standing_of(open_network("two").passport).complete


def test_what_nobody_expected_stops_one_network_only(monkeypatch):
    real = league_job.measure

    def breaks(trained, *rest):
        if trained.name == "one":
            raise ZeroDivisionError("division by zero")
        return real(trained, *rest)

    monkeypatch.setattr(league_job, "measure", breaks)
    job = league_job.start(["one", "two"])
    job.join(60)
    assert job.errors == {"one": "one could not be measured (ZeroDivisionError: division by zero)."}
    assert standing_of(open_network("two").passport).complete


def test_classes_that_differ_are_refused(monkeypatch):
    whole = load("strokes-digits", "test")
    other = Samples("strokes-digits", "test", whole.inputs, whole.labels, tuple("abcdefghij"))
    monkeypatch.setattr(league, "held_out", lambda passport: other)
    with pytest.raises(NetworkError, match="other classes"):
        measure(open_network("one"))


def test_an_empty_standing_knows_nothing():
    empty = Standing("x", "0" * 64, "1" * 64, 40)
    assert empty.accuracy("blur") is None
    assert np.isnan(empty.accuracies("blur")).all()
    assert empty.missing == league.UNITS
