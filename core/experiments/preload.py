"""What a training imports, once for all worker processes: they are forked from the one that has imported this."""

import gc

import torch._dynamo  # noqa: F401  (torch's optimizers import it at their first step: 2 s)

import core.experiments.trainings  # noqa: F401

gc.freeze()  # what all share is not walked through, and so not copied, by each worker's collector
