"""Figures of where a network looked: maps lie on the picture, share a scale, and curves stand over their band."""

import base64

import cv2
import numpy as np
import pytest

from core.inspection.trust import Chance, Curves
from core.report.attribution_figures import FINEST, UNDER, curves_figure, feature_bars, overlay_maps, picture_png


def decoded(address: str) -> np.ndarray:
    content = base64.b64decode(address.removeprefix("data:image/png;base64,"))
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)


def test_maps_lie_on_the_picture_and_share_a_scale():
    random = np.random.default_rng(0)
    picture, maps = random.random((28, 28)), [random.normal(size=(28, 28)), 3 * random.normal(size=(28, 28))]
    figure = overlay_maps(picture, maps, ["for 7", "for 9"], "Saliency")
    assert [trace.type for trace in figure.data] == ["heatmap", "heatmap"]
    for trace, values in zip(figure.data, maps, strict=True):
        np.testing.assert_allclose(trace.z, values, rtol=1e-6)
        assert (trace.x0, trace.dx, trace.y0, trace.dy) == (0, 1, 0, 1)
    strengths = np.sort(np.abs(np.concatenate(maps)), axis=None)
    end = figure.layout.coloraxis.cmax
    assert figure.layout.coloraxis.cmin == -end
    assert (strengths > end).sum() == round(0.01 * len(strengths))  # the strongest 1 % are cut off
    assert "for" in figure.layout.coloraxis.colorbar.title.text
    assert [note.text for note in figure.layout.annotations] == ["for 7", "for 9"]
    assert [(image.xref, image.yref) for image in figure.layout.images] == [("x", "y"), ("x2", "y2")]
    assert all((i.x, i.y, i.sizex, i.sizey, i.layer) == (-0.5, -0.5, 28, 28, "below") for i in figure.layout.images)
    assert figure.layout.yaxis.scaleanchor == "x"
    assert figure.layout.yaxis2.scaleanchor == "x2"


def test_empty_paper_is_clear_under_a_map_and_ink_is_pale():
    ink = np.zeros((28, 28))
    ink[10:12] = 1
    (image,) = overlay_maps(ink, [np.ones((28, 28))], ["a"], "").layout.images
    under = decoded(image.source)
    assert under.shape == (112, 112, 4)
    assert not under[:40, :, 3].any()
    assert (under[40:48, :, 3] == round(UNDER * 255)).all()
    (image,) = overlay_maps(np.dstack([ink] * 3), [np.ones((28, 28))], ["a"], "").layout.images
    under = decoded(image.source)
    assert (under[..., 3] == round(UNDER * 255)).all()
    assert (under[40:48, :, :3] == 255).all()
    assert not under[:40, :, :3].any()


def test_a_single_pixel_has_the_scales_end():
    values = np.zeros((28, 28))
    values[3, 4] = -2
    assert overlay_maps(values, [values], ["a"], "").layout.coloraxis.cmax == 2


def test_a_photos_maps_are_reduced_but_stay_in_place():
    photo, values = np.zeros((224, 224, 3)), np.zeros((224, 224), np.float32)
    values[100:102, 40:42] = 5
    figure = overlay_maps(photo, [values], ["for it"], "Occlusion")
    trace = figure.data[0]
    assert trace.z.shape == (FINEST, FINEST)
    row, column = np.unravel_index(np.argmax(trace.z), trace.z.shape)
    assert trace.z[row, column] == 5
    assert (trace.y0 + row * trace.dy, trace.x0 + column * trace.dx) == (100.5, 40.5)


def test_each_map_may_have_a_scale_of_its_own():
    figure = overlay_maps(
        np.zeros((4, 4)), [np.full((4, 4), -8.0), np.full((4, 4), 0.1)], ["a", "b"], "", own_scales=True
    )
    assert figure.data[0].z.min() == -1
    assert figure.data[1].z.max() == pytest.approx(1)
    assert figure.layout.coloraxis.cmax == 1
    nothing = overlay_maps(np.zeros((4, 4)), [np.zeros((4, 4))], ["a"], "", own_scales=True)
    assert np.isfinite(nothing.data[0].z).all()


def test_maps_stand_in_rows():
    maps = [np.ones((4, 4))] * 3
    wide, narrow = (overlay_maps(np.zeros((4, 4)), maps, ["a", "b", "c"], "", columns) for columns in (3, 2))
    assert wide.layout.yaxis.domain == wide.layout.yaxis3.domain
    assert narrow.layout.yaxis.domain[0] > narrow.layout.yaxis3.domain[1]


def test_pictures_keep_their_colours():
    red = np.zeros((2, 3, 3))
    red[..., 0] = 1
    large = decoded(picture_png(red))
    assert large.shape == (2 * 37, 3 * 37, 3)
    assert (large == [0, 0, 255]).all()  # cv2 reads blue first
    grey = decoded(picture_png(np.array([[0.0, 0.5], [1.0, 2.0]])))
    assert grey[[0, 0, -1, -1], [0, -1, 0, -1]].tolist() == [0, 128, 255, 255]


def test_features_stand_by_their_weight_with_their_values():
    figure = feature_bars(["Age = 54", "Sex = M", "<b>"], np.array([0.1, -2.0, 0.5]), "Occlusion")
    (bars,) = figure.data
    assert list(bars.y) == ["Age = 54", "&lt;b&gt;", "Sex = M"]  # drawn from the bottom up
    assert list(bars.x) == [0.1, 0.5, -2.0]
    assert bars.marker.color[0] == bars.marker.color[1] != bars.marker.color[2]
    assert figure.layout.xaxis.title.text
    assert figure.layout.yaxis.title.text


@pytest.mark.parametrize("narrow", [False, True])
def test_curves_stand_over_the_band_of_chance(narrow):
    shares = np.array([0.0, 0.5, 1.0])
    own = Curves(shares, np.array([1, 0.1, 0]), np.array([0, 0.9, 1]))
    random = [Curves(shares, np.array([1, p, 0]), np.array([0, p, 1])) for p in (0.4, 0.8)]
    figure = curves_figure(own, Chance(tuple(random)), "pixels of ink", "probability", "Removed", narrow)
    left = [trace for trace in figure.data if trace.xaxis == "x"]
    right = [trace for trace in figure.data if trace.xaxis == "x2"]
    assert len(left) == len(right) == 4
    low, high, mean, line = left
    np.testing.assert_allclose(low.y, [100, 40, 0])
    np.testing.assert_allclose(high.y, [100, 80, 0])
    np.testing.assert_allclose(mean.y, [100, 60, 0])
    np.testing.assert_allclose(line.y, [100, 10, 0])
    np.testing.assert_allclose(right[3].y, [0, 90, 100])
    assert [trace.name for trace in figure.data if trace.showlegend] == [
        "in random orders: mean and band",
        "in the map's order",
    ]
    assert figure.layout.annotations[0].text == "removed: area 0.30, by chance 0.55"
    assert figure.layout.annotations[1].text == "added: area 0.70, by chance 0.55"
    assert figure.layout.xaxis.title.text == "pixels of ink removed (%)"
    assert (figure.layout.yaxis.domain == figure.layout.yaxis2.domain) is not narrow
