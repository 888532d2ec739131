"""Figures of what a layer makes: every number in its place, axes named, silent channels marked."""

import numpy as np
import pytest

from core.report.activation_figures import (
    attention_figure,
    channel_maps,
    contribution_bars,
    number_strip,
    one_map,
    product_tables,
    token_heat,
)

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("count", [1, 10, 96])
def test_channels_as_maps(count):
    values = RNG.normal(size=(count, 7, 7)).clip(min=0).astype(np.float32)
    values[0] = 0
    figure = channel_maps(values, "After ReLU")
    (trace,) = figure.data
    filled = ~np.isnan(trace.z)
    assert filled.sum() == values.size
    told = trace.customdata[filled]
    last = trace.z[filled][(told == [count, 7, 1]).all(1)]
    assert last == values[-1, 6, 0]
    texts = [a.text for a in figure.layout.annotations]
    assert texts[0] == "1 ✗"
    assert [text for text in texts if "✗" in text] == ["1 ✗"]
    assert len(figure.layout.shapes) == 1
    assert trace.zmin == -trace.zmax


def test_few_numbers_are_bars_and_many_are_cells():
    bars = number_strip(np.array([1.0, -2.0]), "Output", ["no", "yes"]).data[0]
    assert list(bars.x) == ["no", "yes"]
    assert list(bars.y) == [1, -2]
    values = RNG.normal(size=50)
    figure = number_strip(values, "After dense 50")
    trace = figure.data[0]
    assert trace.z.shape == (2, 32)
    assert trace.z[1, 17] == pytest.approx(values[49])
    assert trace.customdata[1, 17] == 50
    assert np.isnan(trace.z[1, 18:]).all()
    assert figure.layout.xaxis.title.text
    assert figure.layout.yaxis.title.text


def test_tokens_are_rows():
    values = RNG.normal(size=(49, 64))
    figure = token_heat(values, "After add")
    assert np.array_equal(figure.data[0].z, values)
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("number", "token")


@pytest.mark.parametrize(("patch", "frames"), [(10, 5), (None, 0)])
def test_attention_beside_the_picture(patch, frames):
    maps = RNG.dirichlet(np.ones(49), size=4).reshape(4, 7, 7)
    figure = attention_figure(maps, RNG.random((28, 28)), patch, "Attention")
    picture, shares = figure.data
    assert (~np.isnan(picture.z)).sum() == 28 * 28
    assert np.nansum(shares.z) == pytest.approx(400, rel=1e-5)
    assert len(figure.layout.shapes) == frames
    if patch is not None:
        frame = figure.layout.shapes[1]  # on the first head's map: row 2, column 4
        assert (frame.x0 - 1) / 0.92 * 7 == pytest.approx(3)


def test_a_map_to_click_on_has_a_point_for_every_number():
    values = RNG.normal(size=(6, 8))
    figure = one_map(values, "Map", chosen=(2, 5))
    points = figure.data[1]
    assert len(points.x) == 48
    at = int(np.flatnonzero((points.x == 5) & (points.y == 2))[0])
    assert list(points.customdata[at]) == pytest.approx([3, 6, values[2, 5]])
    assert figure.layout.shapes[0].x0 == 4.5
    assert len(one_map(values, "Map").data) == 1


def test_a_patch_may_reach_beyond_the_border():
    figure = one_map(np.zeros((5, 5)), "Map", outline=(-2.5, -2.5, 2.5, 2.5))
    assert figure.layout.xaxis.range[0] < -2.5
    assert figure.layout.yaxis.range[1] < -2.5
    assert figure.layout.shapes[0].y0 == -2.5


@pytest.mark.parametrize("narrow", [False, True])
def test_patch_times_kernel_is_the_third_table(narrow):
    patch, kernel = RNG.normal(size=(2, 5, 5))
    figure = product_tables(patch, kernel, "Patch × kernel", narrow)
    assert [trace.z.shape for trace in figure.data] == [(5, 5)] * 3
    assert np.allclose(figure.data[2].z, patch * kernel)
    assert f"{(patch * kernel).sum():.4g}".replace("-", "−") in figure.layout.annotations[2].text


def test_contributions_from_the_top_down():
    figure = contribution_bars(["input 3", "others", "bias"], [2.0, -1.0, 0.5], "Node 1")
    assert list(figure.data[0].x) == [2.0, -1.0, 0.5]
    assert figure.layout.xaxis.range[0] < -1
    assert figure.layout.xaxis.range[1] > 2
    assert figure.layout.yaxis.autorange == "reversed"
