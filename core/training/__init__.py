"""Training: configs, `fit` as a stream of events, runs on disk, jobs in the background, calibration, passports.

What is named here starts without torch, so that a page can show runs at once; `execute` and `fit` train.
"""

from core.training.config import TrainingConfig
from core.training.recipes import recipe
from core.training.runs import History, Run, create_run, list_runs, open_run

__all__ = ["History", "Run", "TrainingConfig", "create_run", "list_runs", "open_run", "recipe"]
