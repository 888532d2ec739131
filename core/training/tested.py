"""What a stored network was tested on, and the run it came from, as far as they can be had now."""

from core.data import Samples, load
from core.errors import DataError, InklingError, TrainingError
from core.networks import Passport, TrainedNetwork
from core.training.runs import History, Run, open_run, read_history

CHANGED = "The test samples are not those that the passport speaks of: the data set has changed since."


def dataset_name(passport: Passport) -> str | None:
    """The data set that the network was tested on, as `core.data.load` knows it."""
    return passport.training.get("dataset") or passport.dataset


def held_out(passport: Passport) -> Samples:
    """The samples that the network is tested on; raises `DataError` with a sentence that says why there are none."""
    name = dataset_name(passport)
    if name is None:
        raise DataError(
            "The passport does not say which data set taught the network, so there is nothing to test it on."
        )
    try:
        return load(name, "test")
    except InklingError as error:
        raise DataError(f"The test samples cannot be had now: {error}") from error


def has_changed(passport: Passport, samples: Samples) -> bool:
    """Whether these are not the test samples that the passport speaks of."""
    return recorded_test(passport) not in (None, samples.sha256)


def recorded_test(passport: Passport) -> str | None:
    """The hash of the test samples that the passport speaks of."""
    return passport.data.get("test", {}).get("sha256")


def run_of(trained: TrainedNetwork) -> Run | None:
    """The training that made the network; None for one that ships or was imported."""
    try:
        run = open_run(trained.name)
    except TrainingError:
        return None
    return run if run.folder == trained.folder else None


def history_of(trained: TrainedNetwork) -> History | None:
    """How the training went that made the network, here or elsewhere; None where nothing was kept or it is damaged."""
    try:
        return read_history(trained.folder)
    except TrainingError:
        return None
