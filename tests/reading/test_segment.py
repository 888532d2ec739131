"""Segmentation on drawn pictures: one test for each thing that it must cope with."""

import cv2
import numpy as np
import pytest

from core.reading import Segmentation, SegmentOptions, segment

SHAPES = {  # strokes in a box of 60 × 100
    "0": [[(30, 0), (58, 25), (58, 75), (30, 100), (2, 75), (2, 25), (30, 0)]],
    "1": [[(30, 0), (30, 100)]],
    "2": [[(2, 20), (30, 0), (56, 24), (2, 100), (58, 100)]],
    "3": [[(2, 8), (30, 0), (54, 22), (26, 46), (58, 72), (30, 100), (2, 90)]],
    "4": [[(40, 0), (2, 66), (58, 66)], [(40, 30), (40, 100)]],
    "7": [[(2, 0), (58, 0), (20, 100)]],
}
FIVE = [[(6, 8), (4, 44), (36, 40), (56, 66), (40, 96), (4, 92)]]
FLAG = [[(12, -4), (54, -8)]]


def paper(height=240, width=320, tone=215):
    return np.full((height, width), tone, np.uint8)


def draw(picture, name, x, y, height=100, stroke=8, tone=40):
    """A symbol with its top left corner at (x, y); a name or strokes."""
    for line in SHAPES[name] if isinstance(name, str) else name:
        points = np.rint((np.float32(line) * height / 100 + (x, y)) * 16).astype(np.int32)
        cv2.polylines(picture, [points], False, tone, stroke, cv2.LINE_AA, shift=4)
    return picture


def boxes(found: Segmentation):
    return [s.box for s in found.segments if s.reason is None]


def assert_near(box, expected, slack=8):
    assert np.abs(np.subtract(box, expected)).max() <= slack, f"{box} is not within {slack} px of {expected}"


def rendered(glyph):
    """The middle of the symbol that a glyph shows, as (ink share of the 20×20 box, brightest)."""
    return float(glyph[4:24, 4:24].mean()), float(glyph.max())


# --- ink and paper ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inverted", [False, True], ids=["dark ink", "light ink"])
@pytest.mark.parametrize("channels", [1, 3])
def test_either_polarity_gives_the_same_box_and_glyph(inverted, channels):
    picture = draw(paper(), "3", 130, 70)
    if channels == 3:
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB)
    found = segment(255 - picture if inverted else picture)
    assert found.ink_is_dark is not inverted
    [box] = boxes(found)
    assert_near(box, (128, 66, 66, 108))
    share, brightest = rendered(found.segments[0].glyph)
    assert 0.1 < share < 0.4
    assert brightest > 0.9


@pytest.mark.parametrize(("ink", "sheet"), [((30, 40, 160), (220, 220, 215)), ((200, 220, 60), (170, 170, 168))])
def test_coloured_ink_stands_out_in_its_own_channel(ink, sheet):
    mask = draw(paper(tone=0), "2", 130, 70, stroke=12, tone=255)[..., None] / 255
    picture = (np.array(sheet) * (1 - mask) + np.array(ink) * mask).astype(np.uint8)
    [box] = boxes(segment(picture))
    assert_near(box, (126, 64, 70, 112))


def test_a_faint_pencil_is_read_and_a_trace_in_the_noise_is_not():
    noise = np.random.default_rng(1).normal(0, 3, (240, 320))
    pencil = draw(paper(), "3", 130, 70, tone=165).astype(np.float32) + noise
    assert len(boxes(segment(pencil.clip(0, 255).astype(np.uint8)))) == 1
    trace = draw(paper(), "3", 130, 70, tone=208).astype(np.float32) + noise
    assert boxes(segment(trace.clip(0, 255).astype(np.uint8))) == []


@pytest.mark.parametrize("kind", ["empty", "soft shadow", "hard shadow", "noise", "grain"])
def test_nothing_on_the_picture_gives_no_symbols(kind):
    picture = paper().astype(np.float32)
    if "shadow" in kind:
        picture[:, 180:] *= 0.6
        if kind == "soft shadow":
            picture = cv2.GaussianBlur(picture, (0, 0), 12)
    if kind in ("noise", "grain"):
        picture += np.random.default_rng(0).normal(0, {"noise": 12, "grain": 4}[kind], picture.shape)
    assert boxes(segment(picture.clip(0, 255).astype(np.uint8))) == []


@pytest.mark.parametrize("softness", [1, 12])
def test_a_shadow_across_a_symbol_is_no_ink(softness):
    picture = draw(paper(), "3", 130, 70).astype(np.float32)
    shadow = np.ones_like(picture)
    shadow[:, 160:] = 0.55
    [box] = boxes(segment((picture * cv2.GaussianBlur(shadow, (0, 0), softness)).astype(np.uint8)))
    assert_near(box, (128, 66, 66, 108))


def test_uneven_light_does_not_move_the_box():
    light = np.outer(np.linspace(0.4, 1, 240), np.linspace(1, 0.5, 320))
    [box] = boxes(segment((draw(paper(), "2", 130, 70) * light).astype(np.uint8)))
    assert_near(box, (126, 66, 68, 108))


# --- strokes and sizes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stroke", [1, 3, 12, 24])
def test_the_glyph_is_solid_and_legible_at_any_stroke_width(stroke):
    found = segment(draw(paper(), "0", 130, 70, stroke=stroke))
    [segment_] = found.segments
    share, brightest = rendered(segment_.glyph)
    assert brightest > 0.75, "the stroke has faded"
    assert share > 0.1
    row = segment_.glyph[14]
    assert row[13:15].max() < 0.3 or stroke == 24, "the counter of the 0 is open"
    left = row[:13]
    assert left.max() > 0.7, "the stroke is not hollow"


@pytest.mark.parametrize("side", [28, 64, 400, 2400])
def test_pictures_of_all_sizes(side):
    picture = draw(paper(480, 480), "2", 150, 90, height=300, stroke=40)
    picture = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    [box] = boxes(segment(picture))
    assert_near(box, [round(v * side / 480) for v in (130, 70, 220, 340)], max(2, side / 40))


def test_twelve_megapixels():
    picture = cv2.resize(draw(draw(paper(), "2", 60, 70), "3", 180, 70), (4000, 3000), interpolation=cv2.INTER_CUBIC)
    assert len(boxes(segment(picture))) == 2


def test_several_sizes_and_inks_on_one_page():
    page = paper(480, 640)
    draw(page, "2", 60, 60, height=180, stroke=14, tone=20)
    draw(page, "3", 300, 120, height=90, stroke=5, tone=110)
    draw(page, "7", 480, 140, height=70, stroke=4, tone=60)
    assert len(boxes(segment(page))) == 3


def test_blur_moves_no_edge():
    [box] = boxes(segment(cv2.GaussianBlur(draw(paper(), "3", 130, 70, stroke=10), (0, 0), 5)))
    assert_near(box, (126, 64, 68, 110), 10)


# --- paper that is not blank -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("tone", [175, 40], ids=["lighter than the ink", "as dark as the ink"])
@pytest.mark.parametrize("squared", [False, True])
def test_lines_on_the_paper_are_no_ink(tone, squared):
    page = paper(480, 640)
    for y in range(20, 480, 50):
        cv2.line(page, (0, y), (640, y + 6), tone, 2)
    for x in range(30, 640, 50) if squared else ():
        cv2.line(page, (x, 0), (x - 5, 480), tone, 2)
    for name, x in (("2", 120), ("3", 320), ("0", 480)):
        draw(page, name, x, 150, height=130, stroke=9)
    found = boxes(segment(page))
    assert len(found) == 3
    for box, x in zip(found, (120, 320, 480), strict=True):
        assert_near(box, (x - 2, 145, 84, 140), 12)


def test_dirt_and_texture_are_dropped():
    rng = np.random.default_rng(0)
    page = draw(draw(paper(), "2", 60, 70), "3", 180, 70).astype(np.float32)
    for x, y in rng.integers(10, 220, (12, 2)):
        cv2.circle(page, (int(x), int(y)), 1, 90.0, -1)
    page += cv2.resize(rng.normal(0, 4, (60, 80)), (320, 240)) + rng.normal(0, 3, page.shape)
    assert len(boxes(segment(page.clip(0, 255).astype(np.uint8)))) == 2


def test_a_table_around_the_sheet_and_a_border_are_no_symbols():
    page = np.full((300, 400), 50, np.uint8)
    cv2.fillPoly(page, [np.int32([(20, 6), (396, 14), (380, 296), (4, 280)])], 215)
    [box] = boxes(segment(draw(page, "3", 160, 90)))
    assert_near(box, (158, 86, 66, 108))


# --- what is one symbol, and what is two -----------------------------------------------------------------------------


def test_the_flag_of_a_five_belongs_to_it():
    page = draw(draw(paper(), FIVE, 60, 80), FLAG, 60, 80)
    draw(page, "2", 180, 80)
    found = boxes(segment(page))
    assert len(found) == 2
    assert_near(found[0], (58, 66, 64, 116), 10)


def test_a_bar_inside_a_ring_belongs_to_it():
    page = draw(draw(paper(), "0", 130, 70), [[(22, 50), (38, 50)]], 130, 70)
    assert len(boxes(segment(page))) == 1


def test_a_broken_stroke_is_one_symbol():
    page = draw(paper(), "1", 130, 70)
    page[118:122] = 215
    draw(page, "2", 200, 70)
    assert len(boxes(segment(page))) == 2


@pytest.mark.parametrize("gap", [6, 12, 30])
def test_close_neighbours_stay_apart(gap):
    page = paper(200, 500)
    for i, name in enumerate("0230"):
        draw(page, name, 40 + i * (66 + gap), 50, stroke=6)
    assert len(boxes(segment(page))) == 4


def test_neighbours_that_blur_glues_together_are_cut_at_their_own_strength():
    page = paper(200, 300)
    draw(draw(page, "0", 60, 50), "0", 134, 50)
    assert len(boxes(segment(cv2.GaussianBlur(page, (0, 0), 3)))) == 2


# --- the frame -------------------------------------------------------------------------------------------------------


def test_a_stroke_leaving_the_frame_is_kept_and_a_sliver_is_refused():
    page = draw(draw(paper(), "3", -6, 70), "2", 130, 70)
    found = segment(page)
    assert [s.reason for s in found.segments] == [None, None]
    page = draw(draw(draw(paper(), "2", -38, 70), "2", 130, 70), "0", 230, 70)
    found = segment(page)
    assert [s.reason for s in found.segments] == ["cut off at the edge", None, None]


def test_a_symbol_that_fills_its_picture_is_kept():
    assert len(boxes(segment(draw(paper(112, 72), "2", 6, 5, stroke=10)))) == 1


def test_smaller_than_asked_for_is_refused_as_too_small():
    page = draw(paper(), "2", 130, 70, height=30, stroke=3)
    assert [s.reason for s in segment(page, SegmentOptions(smallest=0.2)).segments] == ["too small"]
    assert [s.reason for s in segment(page).segments] == [None]


# --- order -----------------------------------------------------------------------------------------------------------


def test_rows_then_left_to_right():
    page = paper(400, 500)
    for y, names in ((40, "0123"), (230, "472")):
        for i, name in enumerate(names):
            draw(page, name, 40 + i * 110, y)
    found = segment(page).segments
    assert [s.row for s in found] == [0] * 4 + [1] * 3
    assert [s.box[0] for s in found] == sorted(s.box[0] for s in found[:4]) + sorted(s.box[0] for s in found[4:])


@pytest.mark.parametrize("rise", [-14, 14])
def test_rows_may_slope(rise):
    page = paper(500, 760)
    for base in (120, 270):
        for i in range(6):
            draw(page, "2", 40 + i * 115, base + rise * (i - 3), height=90)
    found = segment(page).segments
    assert [s.row for s in found] == [0] * 6 + [1] * 6


# --- options and stages ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["adaptive", "otsu", "fixed"])
@pytest.mark.parametrize("inverted", [False, True])
def test_every_method_finds_plain_ink(method, inverted):
    picture = draw(draw(paper(), "2", 60, 70), "3", 180, 70)
    found = segment(255 - picture if inverted else picture, SegmentOptions(method=method))
    assert len(boxes(found)) == 2


def test_stages_have_the_size_of_the_image():
    found = segment(draw(paper(), "2", 60, 70), SegmentOptions(keep_stages=True))
    assert set(found.stages) == {"grey", "contrast", "threshold"}
    assert all(stage.shape == (240, 320) and stage.dtype == np.uint8 for stage in found.stages.values())
    assert found.stages["contrast"][5, 5] < 30 < found.stages["contrast"].max()
    assert segment(draw(paper(), "2", 60, 70)).stages == {}


def test_an_unknown_method_is_named():
    with pytest.raises(ValueError, match="method is 'magic'; it must be one of adaptive, otsu, fixed"):
        SegmentOptions(method="magic")


# --- cut out tightly -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["0", "2", "3", "4", "7"])
@pytest.mark.parametrize("inverted", [False, True], ids=["dark ink", "light ink"])
def test_a_small_picture_may_be_one_symbol_without_any_paper_around_it(name, inverted):
    picture = draw(paper(16, 16), name, 3, 0, height=15, stroke=2)
    columns = np.flatnonzero((picture < 120).any(axis=0))
    tight = picture[:, columns[0] : columns[-1] + 1]
    found = segment(255 - tight if inverted else tight)
    assert found.ink_is_dark is not inverted
    assert found.size_wh == tight.shape[::-1]
    [box] = boxes(found)
    assert_near(box, (0, 0, tight.shape[1], 16), slack=2)


def test_a_small_blank_picture_is_no_symbol_cut_out_tightly():
    rng = np.random.default_rng(0)
    for _ in range(30):
        size = rng.integers(20, 150, 2)
        blank = np.clip(rng.uniform(60, 235) + rng.normal(0, 4, size), 0, 255).astype(np.uint8)
        assert boxes(segment(blank)) == []
