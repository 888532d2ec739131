"""The estimate of a study in the background."""

from typing import TYPE_CHECKING

from core.experiments.study import Study
from core.work import CountedWork

if TYPE_CHECKING:  # torch comes with it, and takes seconds
    from core.experiments.estimate import Estimate


class EstimateJob(CountedWork):
    """Asks `estimating`; `estimate` is there when it has finished. `storage`: the address of one, or None."""

    kind = "estimate of a study"

    def __init__(self, study: Study, workers: int, storage: str | None) -> None:
        super().__init__()
        self.study, self.workers, self.storage = study, workers, storage
        self.estimate: Estimate | None = None

    def _work(self) -> None:
        from core.experiments.estimate import Estimating, estimating

        for told in estimating(self.study, self.workers, self.storage, self.stop_event.asked):
            self.stop_event.check()
            if isinstance(told, Estimating):
                self.done, self.total = told.done, told.total
            else:
                self.estimate = told
        self.stop_event.check()
