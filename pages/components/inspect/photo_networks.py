"""Which of torchvision's networks is examined, and with which weights."""

from core.errors import NetworkError
from core.inspection.subject import Subject


def photo_subject() -> tuple[Subject, str]:
    """The chosen network and its cache key; raises `InklingError` where its weights cannot be had."""
    raise NetworkError("No network for photos can be had yet.")
