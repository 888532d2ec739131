"""A transfer trial as a stored network: its letters taught again with its settings, none held out, and tested."""

import json

from core.errors import NetworkError
from core.experiments.dimensions import Configuration
from core.experiments.keep import write_origin
from core.experiments.looks import Look, Looks
from core.experiments.setups import Transfer
from core.experiments.storage import Storage
from core.experiments.study import Study
from core.experiments.transfers import all_letters, config_of, source_of
from core.networks import check_savable
from core.networks.store import own_shelf
from core.transfer import KEPT
from core.transfer.attempt import Attempt, attempt
from core.transfer.letters import Letters
from core.transfer.validation import Validating
from core.work import CountedWork


class TransferKeeping(CountedWork):
    """In the background; the network stands in the store once it has finished.

    Its test accuracy is a look at the test set, and counts as one. Raises `NetworkError` for a name that is taken or
    none, and for a method that makes no network.
    """

    kind = "study transfer"

    def __init__(
        self, study: Study, storage: Storage, trial: int, configuration: Configuration, accuracy: float, name: str
    ) -> None:
        setup = study.setup(configuration)
        assert isinstance(setup, Transfer)
        super().__init__(setup.epochs)
        check_savable(name)
        if setup.method not in KEPT:
            raise NetworkError(
                "The nearest neighbours are no network that can be kept: they are the letters themselves. Keep a trial "
                "of prototypes."
            )
        self.name, self._setup = name, json.loads(setup.text())
        self.study, self._storage, self._trial = study, storage, trial
        self._configuration, self._accuracy = configuration, accuracy

    def _work(self) -> None:
        seed, dataset = self.study.seed, self.study.dataset
        taught, test = (
            Letters(part, tuple(f"{dataset} {part.part} {number}" for number in range(len(part))))
            for part in all_letters(self._setup, seed)
        )
        look = Look(self.study.name, dataset, self._trial, (seed,), self.total, (), "kept")
        for event in attempt(source_of(self._setup), taught, config_of(self._setup, seed), test, self.stop_event):
            if isinstance(event, Attempt):
                Looks(self._storage).write(look)
                event.keep(self.name)
                where = (self.study, self._storage, self._trial, self._configuration, self._accuracy)
                write_origin(own_shelf() / self.name, *where)
            elif not isinstance(event, Validating):
                self.done = event.epoch
