"""Picture file → pixels, for those who read them; data sets read pictures too, so the work is done a row below."""

from core.data.pictures import Picture, decode_picture, open_picture, read_picture

__all__ = ["Picture", "decode_picture", "open_picture", "read_picture"]
