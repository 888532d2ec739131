"""Training: configs, `fit` as a stream of events, augmentation, calibration, networks kept with their passports."""

from core.training.config import TrainingConfig
from core.training.fit import BatchDone, EpochDone, TrainingStopped, fit
from core.training.recipes import recipe
from core.training.run import TrainingResult, train

__all__ = [
    "BatchDone",
    "EpochDone",
    "TrainingConfig",
    "TrainingResult",
    "TrainingStopped",
    "fit",
    "recipe",
    "train",
]
