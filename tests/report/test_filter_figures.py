"""Figures of filters: every weight stands where it belongs, and says so under the pointer."""

import numpy as np
import pytest

from core.report.filter_figures import effect_grid, filter_close_up, filter_grid, number_cells, weight_table
from core.report.tile_figure import MOST_CELLS, MOST_PIXELS, Grid, step_for, tile_figure, tiles

RNG = np.random.default_rng(0)


def cells(trace) -> dict[tuple[int, ...], float]:
    """What the pointer tells → the number there, of all cells that are not empty."""
    filled = ~np.isnan(trace.z)
    return {tuple(where[:3]): value for where, value in zip(trace.customdata[filled], trace.z[filled], strict=True)}


@pytest.mark.parametrize("narrow", [False, True])
def test_every_weight_is_under_the_pointer(narrow):
    kernels = RNG.normal(size=(13, 5, 4)).astype(np.float32)
    numbers = list(RNG.permutation(13))
    responses = np.abs(RNG.normal(size=(13, 64, 64))), np.linspace(-0.5, 0.48, 64)
    figure = filter_grid(kernels, numbers, [str(n) for n in numbers], responses, "Filters", 2.5, narrow)
    weights, answers = figure.data
    assert (weights.zmin, weights.zmax) == (-2.5, 2.5)
    found = cells(weights)
    assert len(found) == kernels.size
    for i, number in enumerate(numbers):
        assert found[(number + 1, 2, 3)] == kernels[i, 1, 2]
    assert np.nanmax(answers.z) == pytest.approx(1)
    assert figure.layout.title.text == "Filters"
    assert weights.colorbar.title.text == "weight"
    assert [a.text for a in figure.layout.annotations] == [str(n) for n in numbers]


def test_a_response_stands_beside_its_kernel():
    kernels = np.ones((2, 3, 3), np.float32)
    responses = np.ones((2, 64, 64)), np.linspace(-0.5, 0.48, 64)
    weights, answers = filter_grid(kernels, [0, 1], ["1", "2"], responses, "", 1.0).data
    columns = [weights.x[:-1][~np.isnan(weights.z).all(0)], answers.x[:-1][~np.isnan(answers.z).all(0)]]
    assert [sorted({int(x) for x in part}) for part in columns] == [[0, 2], [1, 3]]


def test_edges_rise_and_fit_the_cells():
    for count, columns, h, w in ((7, 3, 5, 5), (1, 1, 1, 1), (12, 4, 28, 3)):
        grid = Grid(count, columns, 600)
        trace = tiles(grid, RNG.normal(size=(count, h, w)), range(count), "%{z}")
        assert trace.z.shape == (len(trace.y) - 1, len(trace.x) - 1)
        assert (np.diff(trace.x) > 0).all()
        assert (np.diff(trace.y) > 0).all()
        filled = ~np.isnan(trace.z)
        top = trace.y[:-1][filled.any(1)]
        corners = {round(grid.corner(i)[1], 6) for i in range(count)}
        assert corners <= {round(y, 6) for y in top}


def test_colour_filters_are_pictures_that_tell_their_weights():
    weights = RNG.normal(size=(4, 3, 7, 7)).astype(np.float32)
    pictures = (weights / 10 + 0.5).transpose(0, 2, 3, 1)
    figure = filter_grid(weights.mean(1), range(4), list("1234"), None, "", 1.0, colour=(pictures, weights))
    assert len(figure.layout.images) == 4
    told = figure.data[0].customdata[~np.isnan(figure.data[0].z)]
    assert len(told) == 4 * 49
    row = told[(told[:, 0] == 3) & (told[:, 1] == 2) & (told[:, 2] == 6)][0]
    assert np.allclose(row[3:], weights[2, :, 1, 5])


def test_large_maps_are_thinned_and_keep_their_places():
    maps = RNG.normal(size=(10, 224, 224)).astype(np.float32)
    step = step_for(maps)
    assert -(-224 // step) <= MOST_PIXELS
    trace = tiles(Grid(10, 5, 600), maps, range(10), "")
    found = cells(trace)
    assert found[(4, 1 + step, 1 + 2 * step)] == maps[3, step, 2 * step]
    assert step_for(np.zeros((128, 28, 28))) == 1
    assert step_for(np.zeros((600, 28, 28))) > 1
    assert np.zeros((600, 28, 28))[:, :: step_for(np.zeros((600, 28, 28)))].size < MOST_CELLS * 2
    assert np.nanmax(np.abs(trace.z)) <= trace.zmax == pytest.approx(np.abs(maps).max())


def test_a_close_up_has_axes_in_pixels_and_in_cycles_per_pixel():
    kernel = RNG.normal(size=(5, 5))
    response = np.abs(RNG.normal(size=(64, 64))), np.linspace(-0.5, 0.48, 64)
    figure = filter_close_up(kernel, response, "One", 2.0)
    titles = [figure.layout[axis].title.text for axis in ("xaxis", "yaxis", "xaxis2", "yaxis2")]
    assert titles == ["column (pixels)", "row (pixels)", "across (cycles/pixel)", "up (cycles/pixel)"]
    assert np.array_equal(figure.data[0].z, kernel)
    assert figure.data[1].y[0] == 0.5  # the first row is a wave that goes up fastest
    assert len(filter_close_up(kernel, None, "One", 2.0).data) == 1


def test_numbers_are_written_where_they_fit():
    assert number_cells(np.ones((5, 5)), "weight", 1.0).texttemplate
    assert number_cells(np.ones((28, 28)), "weight", 1.0).texttemplate is None


@pytest.mark.parametrize("narrow", [False, True])
def test_each_part_of_an_effect_has_its_column_and_scale(narrow):
    parts = [("filter", RNG.normal(size=(3, 5, 5))), ("filter2D", 9 * RNG.normal(size=(3, 28, 28)))]
    parts.append(("layer", RNG.normal(size=(3, 24, 24))))
    figure = effect_grid(parts, [6, 7, 8], "Effect", narrow)
    assert len(figure.data) == 3
    for (_, pictures), trace in zip(parts, figure.data, strict=True):
        assert cells(trace)[(8, 2, 4)] == pytest.approx(pictures[1, 1, 3], abs=1e-6)
        assert trace.zmax == pytest.approx(np.abs(pictures).max())
    texts = [a.text for a in figure.layout.annotations]
    assert texts[:3] == ["7: filter", "filter2D", "layer"]
    assert {"8", "9"} <= {text.split(":")[0] for text in texts}


def test_a_tables_weights_have_names():
    weights = RNG.normal(size=(10, 3))
    figure = weight_table(weights, ["age", "<b>", "pulse"], "First layer")
    assert list(figure.data[0].y) == ["age", "&lt;b&gt;", "pulse"]
    assert figure.data[0].z[2, 7] == weights[7, 2]
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("node", "feature")


def test_an_empty_caption_makes_no_annotation():
    assert len(tile_figure(Grid(3, 3, 300), "", ["a", "", "b"]).layout.annotations) == 2
