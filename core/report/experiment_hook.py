"""The study's chapter in the report of a network that was kept from it; of other networks it costs nothing."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.errors import InklingError
from core.experiments.origin import Origin, origin_of
from core.report.document import Block, Chapter, Table, Text

if TYPE_CHECKING:
    from core.experiments.study import Study

TITLE = "The study"


def experiment_chapter(name: str) -> Chapter | None:
    """The study that the stored network `name` was kept from; None where it comes from none."""
    origin = origin_of(name)
    if origin is None:
        return None
    from core.experiments.storage import Storage
    from core.report.experiment_chapter import study_blocks  # and Optuna with it

    kept = Text(f"This network is trial {origin.trial} of the study {origin.study!r}, trained again to be kept.")
    try:
        storage = Storage(origin.storage, patience_s=1.0)
        study: Study = storage.open(origin.study)[0]
        return Chapter(TITLE, [kept, *study_blocks(study, storage)])
    except InklingError as error:
        return Chapter(TITLE, [kept, *_remembered(origin, str(error))])


def _remembered(origin: Origin, problem: str) -> Iterator[Block]:
    """What stands beside the network, where the study itself cannot be read."""
    yield Text(origin.question)
    yield Text(f"In the search it reached {origin.accuracy:.2%} on validation samples.")
    yield Table(["dimension", "value"], [[name, str(value)] for name, value in origin.configuration.items()])
    yield Text(f"The study itself cannot be told of: {problem}")
