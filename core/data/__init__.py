"""Every data set by name → samples held whole as tensors."""

from core.data.registry import load, names
from core.data.samples import Samples

__all__ = ["Samples", "load", "names"]
