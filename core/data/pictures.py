"""Picture file → pixels: whatever a camera, a scanner or a drawing program wrote, as plain RGB.

The content decides what a file is, never its name, and only the formats named here are tried. Sizes are judged from
the header, before anything is unpacked.
"""

import io
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from core.errors import PictureError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")  # what browsers show; the rarer formats' decoders are the attacked ones
MAX_BYTES = 64_000_000  # a 50-megapixel phone photo takes about 25 MB
MAX_PIXELS = 50_000_000  # unpacked whole: 200 MB as RGBA
MAX_PIXELS_REDUCED = 200_000_000  # baseline JPEG, which can be unpacked at an eighth of its size
ENOUGH_PX = 1800  # longest side that reading can use; a JPEG is reduced while unpacking as long as it stays above

# Pillow warns at its limit and refuses at twice the number; ours refuses at once. Its warnings (this one, and of odd
# metadata in pictures that can be read all the same) would only be noise.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS_REDUCED
warnings.filterwarnings("ignore", module=r"PIL\.")

# First bytes of what people take for pictures → what to tell them.
STRANGERS = (
    (b"PK\x03\x04", "a ZIP archive; unpack it and take the pictures inside"),
    (b"%PDF", "a PDF; save its page as PNG or JPEG"),
    (b"II*\x00", "a TIFF; save it as PNG or JPEG"),
    (b"MM\x00*", "a TIFF; save it as PNG or JPEG"),
    (b"\x80\x02", "a Python pickle, which is never opened; save the picture as PNG or JPEG"),
    (b"\x80\x03", "a Python pickle, which is never opened; save the picture as PNG or JPEG"),
    (b"\x80\x04", "a Python pickle, which is never opened; save the picture as PNG or JPEG"),
    (b"\x80\x05", "a Python pickle, which is never opened; save the picture as PNG or JPEG"),
)


class Picture(NamedTuple):
    """An unpacked picture."""

    pixels: np.ndarray  # (H, W, 3) uint8 RGB, turned upright
    scale: float  # the file's pixels to one of these: 1.0, or 2, 4, 8 where a large JPEG was reduced


def read_picture(path: str | Path) -> np.ndarray:
    """The pixels of a picture file, `(H, W, 3) uint8` RGB; raises `PictureError` in one sentence."""
    return open_picture(path).pixels


def decode_picture(content: bytes, name: str = "") -> np.ndarray:
    """The pixels of a picture in memory, `(H, W, 3) uint8` RGB; `name` is only what errors call it."""
    return unpack(content, name).pixels


def open_picture(path: str | Path) -> Picture:
    """The picture in a file, with the scale that leads from its pixels back to the file's."""
    try:
        if not Path(path).exists():
            raise PictureError(f"{path} does not exist; give the path of a picture file.")
        if not Path(path).is_file():  # a folder; or a device or pipe, which might never end
            raise PictureError(f"{path} is not a file; give the path of one picture.")
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PictureError(f"{path} cannot be opened ({error.strerror}); check its name and permissions.") from error
    return unpack(content, str(path))


def unpack(content: bytes, name: str = "") -> Picture:
    """The first frame of a picture in memory; raises `PictureError` for whatever cannot be read safely and whole."""
    name = name or "The picture"
    if not content:
        raise PictureError(f"{name} is empty; give a picture ({', '.join(FORMATS)}).")
    if len(content) > MAX_BYTES:
        raise PictureError(f"{name} is larger than {MAX_BYTES // 1_000_000} MB; save it smaller.")
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise PictureError(_too_many_pixels(name, MAX_PIXELS_REDUCED)) from error
    except Exception as error:  # a decoder meets hostile headers in its own ways; each means the same to the user
        raise PictureError(f"{name} {_stranger(content)}.") from error
    with image:
        width, height = image.size
        _reduce_jpeg(image)
        limit = MAX_PIXELS if image.size == (width, height) or "progressive" in image.info else MAX_PIXELS_REDUCED
        if width * height > limit:  # progressive JPEG keeps all its coefficients in memory, reduced or not
            raise PictureError(_too_many_pixels(f"{name} ({width:,}×{height:,} pixels)", limit))
        scale = width / image.width
        try:
            image.load()
            pixels = _rgb(_upright(image))
        except Exception as error:  # as above: truncated and damaged data surface as many kinds of error
            raise PictureError(
                f"{name} is a {image.format} picture that is damaged or cut short ({error}); save or send it again."
            ) from error
    return Picture(pixels, scale)


def _too_many_pixels(name: str, limit: int) -> str:
    return f"{name} has more than {limit // 1_000_000} million pixels and was not unpacked; save it smaller."


def _stranger(content: bytes) -> str:
    for signature, description in STRANGERS:
        if content.startswith(signature):
            return f"is {description}"
    if content[4:8] == b"ftyp":
        return "is a HEIC, AVIF or video file; save it as JPEG or PNG"
    return f"is not a picture that can be read; give one of {', '.join(FORMATS)}"


def _reduce_jpeg(image: Image.Image) -> None:
    """Has a large JPEG unpacked at 1/2, 1/4 or 1/8 of its size, its longest side still at least `ENOUGH_PX`."""
    shrink = ENOUGH_PX / max(image.size)
    if shrink < 1:
        width, height = image.size
        image.draft(None, (max(1, int(width * shrink)), max(1, int(height * shrink))))


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a damaged EXIF block says nothing of how the camera was held: the picture stays as it is
        return image


def _rgb(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I"):  # 16 bits of grey; Pillow's own conversion would clip at 255
        grey = np.clip(np.asarray(image, np.int64), 0, 65535)
        return np.repeat(((grey + 128) // 257).astype(np.uint8)[..., None], 3, axis=2)
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        paper = Image.new("RGBA", rgba.size, _paper(rgba))
        image = Image.alpha_composite(paper, rgba)
    return np.array(image.convert("RGB"))


def _paper(rgba: Image.Image) -> tuple[int, int, int, int]:
    """The colour to lay under a transparent picture, so that its ink can be seen.

    A heuristic: where the visible part is a patch with light and dark in it, it brings its own paper, which is
    continued; where it is ink alone, it gets white paper, or black when the ink is bright.
    """
    step = max(1, max(rgba.size) // 500)
    pixels = np.asarray(rgba)[::step, ::step]
    alpha = pixels[..., 3]
    visible = alpha > alpha.max() // 2
    if not visible.any():
        return (255, 255, 255, 255)
    colours = pixels[visible][:, :3]
    grey = colours @ np.array([0.299, 0.587, 0.114])
    rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
    filled = visible.sum() / ((rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1))
    if filled > 0.7 and np.ptp(np.percentile(grey, [2, 98])) > 64:  # 0.7: a picture cropped to a circle fills 0.785
        red, green, blue = (int(v) for v in np.median(colours, axis=0))
        return (red, green, blue, 255)
    return (255, 255, 255, 255) if np.median(grey) <= 127 else (0, 0, 0, 255)
