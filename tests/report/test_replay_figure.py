"""The time machine's figure: all panels of a frame move together, in few bytes."""

import json
from itertools import pairwise

import numpy as np
import pytest

from core.report.replay_figure import moment, montage, replay_figure
from core.training.replay import Frame, Replay


def frame(i: int, classes: int, filters: tuple[int, int] | None = (10, 5), points: int = 500) -> Frame:
    rng = np.random.default_rng(i)
    confusion = rng.integers(1, 40, size=(classes, classes))
    return Frame(
        step=i,
        examples=i * 64,
        epoch=i // 10,
        filters=None if filters is None else rng.normal(size=(filters[0], filters[1], filters[1])),
        confusion=confusion,
        accuracy=float(np.trace(confusion) / confusion.sum()),
        points=rng.normal(size=(points, 2)),
        explained=0.4,
        probabilities=rng.dirichlet(np.ones(classes)),
    )


def replayed(count: int, classes: int, **more) -> Replay:
    names = tuple("0123456789") if classes == 10 else tuple(f"class {i}" for i in range(classes))
    frames = tuple(frame(i, classes, **more) for i in range(count))
    return Replay("my <run>", names, frames, 2000, np.arange(len(frames[0].points)) % classes)


@pytest.mark.parametrize("narrow", [False, True])
def test_every_frame_moves_all_panels(narrow):
    replay = replayed(4, 10)
    figure = replay_figure(replay, narrow)
    assert len(figure.frames) == 4
    for drawn, frame in zip(figure.frames, replay.frames, strict=True):
        filters, right, wrong, points, reading = drawn.data
        assert np.nanmax(np.abs(filters.z - montage(frame.filters))) == 0
        assert (np.isnan(right.z) == ~np.eye(10, dtype=bool)).all()
        assert np.isnan(np.diag(wrong.z)).all()
        assert np.allclose(np.stack([points.x, points.y], axis=1), frame.points, atol=1e-3)
        assert reading.y == pytest.approx(frame.probabilities * 100, abs=0.06)
        texts = " ".join(a.text for a in drawn.layout.annotations)
        assert f"<b>{frame.accuracy * 100:.1f} %</b> right" in texts
        assert f"<b>{frame.probabilities.argmax()}</b>" in texts
    (slider,) = figure.layout.sliders
    assert [step.args[0] for step in slider.steps] == [(str(i),) for i in range(4)]
    assert [step.label for step in slider.steps] == [moment(frame) for frame in replay.frames]
    assert [button.label for button in figure.layout.updatemenus[0].buttons] == ["▶", "❚❚"]
    assert figure.layout.title.text.startswith("my &lt;run&gt;")


def test_a_narrow_figure_stacks_its_panels():
    wide, narrow = (replay_figure(replayed(2, 10), narrow).layout for narrow in (False, True))
    assert wide.xaxis2.domain[0] > 0.5
    axes = [narrow.yaxis, narrow.yaxis2, narrow.yaxis3, narrow.yaxis4]
    assert all(upper.domain[0] > lower.domain[1] for upper, lower in pairwise(axes))
    assert all(axis.domain[1] == 1 for axis in (narrow.xaxis, narrow.xaxis2, narrow.xaxis3, narrow.xaxis4))


@pytest.mark.parametrize(("classes", "filters"), [(10, (10, 5)), (47, (32, 5)), (10, (15, 28))])
def test_twenty_snapshots_stay_small(classes, filters):
    assert len(replay_figure(replayed(20, classes, filters=filters)).to_json()) < 6_000_000


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize(("filters", "reading"), [(None, False), (None, True), ((10, 5), False)])
def test_what_a_network_has_not_has_no_panel(filters, reading, narrow):
    frames = tuple(
        Frame(**f.__dict__ | ({} if reading else {"probabilities": None}))
        for f in (frame(i, 2, filters=filters) for i in range(2))
    )
    figure = replay_figure(Replay("x", ("no", "yes"), frames, 10, np.zeros(500, int)), narrow)
    axes = {trace.xaxis for trace in figure.data}
    assert axes == {"x2", "x3"} | ({"x"} if filters else set()) | ({"x4"} if reading else set())
    assert all([t.xaxis for t in moved.data] == [t.xaxis for t in figure.data] for moved in figure.frames)
    texts = [a.text for a in figure.layout.annotations]
    assert len(texts) == len(axes)
    assert ("first filters (weights)" in texts) == bool(filters)
    assert any("is read as" in text for text in texts) == reading
    places = [(figure.layout["xaxis" + x[1:]].domain, figure.layout["yaxis" + x[1:]].domain) for x in sorted(axes)]
    for i, (x, y) in enumerate(places):
        assert 0 <= x[0] < x[1] <= 1
        assert 0 <= y[0] < y[1] <= 1
        for other_x, other_y in places[i + 1 :]:
            assert x[1] <= other_x[0] or other_x[1] <= x[0] or y[1] <= other_y[0] or other_y[1] <= y[0], "they overlap"
    assert figure.layout.height > figure.layout.margin.t + 100 * (len(axes) if narrow else 1)
    json.loads(figure.to_json())


def test_long_class_names_become_dots_that_differ_in_shape():
    points = replay_figure(replayed(1, 47)).data[3]
    assert points.mode == "markers"
    assert len(set(points.marker.symbol)) == 8
    assert replay_figure(replayed(1, 10)).data[3].mode == "text"


def test_the_montage_holds_each_kernel_once():
    kernels = np.arange(3 * 4, dtype=float).reshape(3, 2, 2)
    picture = montage(kernels)
    assert picture.shape == (2, 8)  # three in a row, a gap between two
    assert np.array_equal(picture[:, 3:5], kernels[1])
    assert np.isnan(picture[:, 2]).all()
    assert sorted(picture[~np.isnan(picture)]) == list(range(12))


def test_a_moment_in_words():
    assert moment(frame(0, 2)) == "before any training"
    assert moment(frame(1, 2)) == "1 batch, 64 examples"
    assert moment(frame(20, 2)) == "20 batches, 1,280 examples, epoch 2"
