"""The demo scene: repeatable, moving, and what it says it is."""

import numpy as np

from core.reading.scene import PAGE_S, PAGES, DemoScene


def test_the_same_seed_and_time_are_the_same_picture():
    first, second = DemoScene(seed=3).frame(1.25), DemoScene(seed=3).frame(1.25)
    np.testing.assert_array_equal(first, second)
    assert (first.shape, first.dtype) == ((480, 640, 3), np.uint8)


def test_another_seed_is_another_hand():
    assert (DemoScene(seed=1).frame(0) != DemoScene(seed=2).frame(0)).mean() > 0.5


def test_pages_follow_each_other_and_begin_anew():
    scene = DemoScene()
    assert [scene.text(i * PAGE_S) for i in range(len(PAGES))] == [p.replace(" ", "") for p in PAGES]
    assert scene.text(len(PAGES) * PAGE_S) == scene.text(0)


def test_the_camera_trembles_but_the_page_stays_in_view():
    scene = DemoScene()
    ink = [np.argwhere(scene.frame(t)[..., 0] < 110) for t in np.linspace(0, PAGE_S, 10, endpoint=False)]
    middles = np.array([where.mean(axis=0) for where in ink])
    assert 0.5 < middles.std(axis=0).max() < 20  # pixels
    for where in ink:
        assert where.min() > 10
        assert (where < np.array([470, 630])).all()


def test_any_size_can_be_played():
    assert DemoScene(size_wh=(1280, 720)).frame(0).shape == (720, 1280, 3)
