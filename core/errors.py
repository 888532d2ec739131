"""The errors that a user can act on.

Every message is one sentence or two that say what was expected, what came, and what to do.
The command line prints it as one line and exits with 2; a page shows it in place of a result.
"""


class InklingError(Exception):
    """A problem with what the user gave or asked for; its text is written for them."""


class DataError(InklingError):
    """A data set is unknown, missing, incomplete or not what its checksum says."""


class PictureError(InklingError):
    """A file is no picture that can be read, or is too large to be unpacked safely."""


class VideoError(InklingError):
    """A file is no video that can be read."""


class NetworkError(InklingError):
    """A network's spec, weights or passport is unknown, damaged or does not fit the others."""


class TrainingError(InklingError):
    """A training cannot start with the settings given."""


class ExperimentError(InklingError):
    """A study cannot be what its file says, or its storage does not answer."""


class BenchError(InklingError):
    """A benchmark is unknown."""
