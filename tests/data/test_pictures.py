"""Every picture that can be read is read the same, whatever wrote it; everything else is one clear sentence."""

import io
import pickle
import struct
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from core.data.pictures import ENOUGH_PX, MAX_BYTES, decode_picture, open_picture, read_picture, unpack
from core.errors import PictureError

SIZE_WH = (120, 80)
STROKE = (20, 30, 70, 40)  # x0, y0, x1, y1 of a bar off the middle, so that any wrong rotation shows


def drawing(mode: str = "L", paper: object = 255, ink: object = 0) -> Image.Image:
    image = Image.new(mode, SIZE_WH, paper)
    ImageDraw.Draw(image).rectangle(STROKE, fill=ink)
    return image


def encode(image: Image.Image, file_format: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, file_format, **options)
    return out.getvalue()


def assert_bar(pixels: np.ndarray, tolerance: int = 30) -> None:
    """The dark bar on light paper, where it was drawn."""
    assert pixels.shape == (SIZE_WH[1], SIZE_WH[0], 3)
    assert pixels.dtype == np.uint8
    expected = np.array(drawing("RGB", "white", "black"), int)
    away_from_edges = np.ones(SIZE_WH[::-1], bool)
    away_from_edges[STROKE[1] - 3 : STROKE[3] + 4, STROKE[0] - 3 : STROKE[2] + 4] = False
    away_from_edges[STROKE[1] + 3 : STROKE[3] - 2, STROKE[0] + 3 : STROKE[2] - 2] = True
    assert np.abs(pixels.astype(int) - expected)[away_from_edges].max() <= tolerance


def animated_gif() -> bytes:
    return encode(drawing(), "GIF", save_all=True, append_images=[Image.new("L", SIZE_WH, 0)], duration=40)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(encode(drawing()), id="grey PNG"),
        pytest.param(encode(drawing("RGB", "white", "black")), id="RGB PNG"),
        pytest.param(encode(drawing("1", 1, 0)), id="1-bit PNG"),
        pytest.param(encode(drawing("I;16", 65535, 0)), id="16-bit PNG"),
        pytest.param(encode(drawing("RGB", "white", "black").quantize(4)), id="palette PNG"),
        pytest.param(encode(drawing("RGB", "white", "black"), interlace=1), id="interlaced PNG"),
        pytest.param(encode(drawing("LA", (255, 255), (0, 255))), id="grey PNG with alpha"),
        pytest.param(encode(drawing(), "JPEG", quality=90), id="grey JPEG"),
        pytest.param(encode(drawing("RGB", "white", "black"), "JPEG", progressive=True), id="progressive JPEG"),
        pytest.param(encode(drawing("CMYK", (0, 0, 0, 0), (0, 0, 0, 255)), "JPEG"), id="CMYK JPEG"),
        pytest.param(encode(drawing("RGB", "white", "black"), "WEBP"), id="WebP"),
        pytest.param(encode(drawing("RGB", "white", "black"), "WEBP", lossless=True), id="lossless WebP"),
        pytest.param(encode(drawing("RGB", "white", "black"), "BMP"), id="BMP"),
        pytest.param(encode(drawing("1", 1, 0), "BMP"), id="1-bit BMP"),
        pytest.param(animated_gif(), id="first frame of an animated GIF"),
    ],
)
def test_reads_what_programs_write(content):
    assert_bar(decode_picture(content))


def test_scales_16_bit_greys_to_8():
    ramp = np.linspace(0, 65535, 256).round().astype(np.uint16)[None]
    pixels = decode_picture(encode(Image.fromarray(ramp)))
    np.testing.assert_array_equal(pixels[0, :, 0], np.arange(256))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turns_a_photo_upright_as_exif_says(orientation):
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    image = drawing()
    stored = image.transpose(undo[orientation]) if orientation > 1 else image
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert_bar(decode_picture(encode(stored, "JPEG", quality=95, exif=exif)))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_a_damaged_exif_block_does_not_lose_the_picture():
    assert_bar(decode_picture(encode(drawing(), "JPEG", quality=95, exif=b"Exif\x00\x00MM\x00*garbage")))


@pytest.mark.parametrize(
    ("image", "ink_is_dark"),
    [
        pytest.param(drawing("RGBA", (0, 0, 0, 0), (0, 0, 0, 255)), True, id="black ink alone"),
        pytest.param(drawing("RGBA", (0, 0, 0, 0), (255, 255, 255, 255)), False, id="white ink alone"),
        pytest.param(drawing("RGBA", (255, 255, 255, 0), (255, 230, 0, 255)), False, id="yellow ink alone"),
        pytest.param(drawing("RGBA", (0, 0, 0, 0), (0, 0, 0, 90)), True, id="half transparent ink"),
        pytest.param(drawing("LA", (255, 0), (255, 255)), False, id="grey and alpha"),
    ],
)
def test_transparent_pictures_get_paper_their_ink_shows_on(image, ink_is_dark):
    pixels = decode_picture(encode(image)).astype(int)
    ink, paper = pixels[35, 45].mean(), pixels[5, 5].mean()
    assert abs(ink - paper) > 80
    assert (ink < paper) == ink_is_dark


def test_a_cut_out_piece_of_paper_is_continued_in_its_own_colour():
    image = Image.new("RGBA", SIZE_WH, (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((10, 5, 110, 75), fill=(240, 230, 200, 255))
    draw.rectangle(STROKE, fill=(30, 30, 60, 255))
    pixels = decode_picture(encode(image))
    np.testing.assert_array_equal(pixels[2, 2], (240, 230, 200))


def test_a_transparent_palette_entry_is_transparent():
    image = drawing("RGB", "white", "black").quantize(4)
    content = encode(image, transparency=image.getpixel((0, 0)))
    assert_bar(decode_picture(content))


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "I;16"])
def test_one_pixel_is_a_picture(mode):
    assert decode_picture(encode(Image.new(mode, (1, 1)))).shape == (1, 1, 3)


def test_a_phone_photo_of_50_megapixels_is_reduced_while_unpacking():
    small = drawing().resize((1020, 765))
    content = encode(small.resize((8160, 6120), Image.Resampling.NEAREST), "JPEG", quality=50)
    picture = unpack(content)
    assert ENOUGH_PX <= max(picture.pixels.shape) <= 2 * ENOUGH_PX
    assert picture.scale == pytest.approx(8160 / picture.pixels.shape[1])
    expected = np.asarray(small.resize(picture.pixels.shape[1::-1]), int)
    assert np.abs(picture.pixels[..., 0].astype(int) - expected).mean() < 3


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of(width: int, height: int) -> bytes:
    """A PNG of that size whose data were never written: who unpacks it fails, who judges by the header does not."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", b"") + png_chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(40_000, 40_000), (12_000, 12_000), (8_000, 8_000), (2**31 - 1, 1)])
def test_a_bomb_is_refused_by_its_header(width, height):
    with pytest.raises(PictureError, match=r"bomb\.png.* million pixels and was not unpacked"):
        decode_picture(png_of(width, height), "bomb.png")


def zip_archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.png", b"")
    return out.getvalue()


JPEG = encode(drawing().resize((640, 480)), "JPEG")
PNG = encode(Image.effect_noise((64, 64), 50))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"hello, world", "is not a picture"),
        (b"\x00" * 1000, "is not a picture"),
        (zip_archive(), "is a ZIP archive"),
        (pickle.dumps({"weights": [1, 2]}), "is a Python pickle, which is never opened"),
        (b"%PDF-1.7", "is a PDF"),
        (encode(drawing(), "TIFF"), "is a TIFF"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", "HEIC"),
        (JPEG[: len(JPEG) // 2], "damaged or cut short"),
        (JPEG[:-40], "damaged or cut short"),
        (PNG[: len(PNG) // 2], "damaged or cut short"),
        (png_of(10, 10), "damaged or cut short"),
        (b"\xff\xd8\xff", "is not a picture"),
        (b"\x00" * (MAX_BYTES + 1), "is larger than 64 MB"),
    ],
)
def test_what_is_no_picture_is_one_clear_sentence(content, sentence):
    with pytest.raises(PictureError, match=rf"^mine\.png .*{sentence}.*\.$") as error:
        decode_picture(content, "mine.png")
    assert "\n" not in str(error.value)


class Alarm:
    """Raises when somebody unpickles it."""

    def __reduce__(self):
        return (pytest.fail, ("a pickle was opened",))


def test_a_pickle_is_never_opened(tmp_path):
    file = tmp_path / "digit.png"
    file.write_bytes(pickle.dumps(Alarm()))
    with pytest.raises(PictureError, match="pickle"):
        read_picture(file)


def test_the_name_plays_no_part(tmp_path):
    file = tmp_path / "digit.txt"
    file.write_bytes(encode(drawing()))
    assert_bar(read_picture(file))
    assert open_picture(file).scale == 1


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("missing.png", "does not exist"),
        (".", "is not a file"),
        ("/dev/zero", "is not a file"),
        ("x" * 5000, "cannot be opened"),
    ],
)
def test_paths_that_hold_no_file(tmp_path, path, sentence):
    with pytest.raises(PictureError, match=sentence):
        read_picture(tmp_path / path)


@given(st.integers(0, len(PNG) - 1), st.integers(0, 255), st.sampled_from([PNG, JPEG]))
@settings(max_examples=200, deadline=None)
def test_a_changed_byte_gives_a_picture_or_a_sentence(position, value, original):
    content = bytearray(original)
    content[position] = value
    answer = pixels_or_sentence(bytes(content))
    if isinstance(answer, str):
        assert "\n" not in answer
    else:
        assert answer.ndim == 3
        assert answer.dtype == np.uint8


def pixels_or_sentence(content: bytes) -> np.ndarray | str:
    try:
        return decode_picture(content)
    except PictureError as error:
        return str(error)
