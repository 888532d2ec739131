"""How letters are taught: the nearest prototype, a new output layer on frozen weights, or fine-tuning."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from core.data import Samples
from core.errors import TrainingError
from core.networks.base import Network, as_input, count_parameters
from core.training.augment import augment
from core.training.config import TrainingConfig
from core.training.fit import EpochDone, StopEvent, Trainer
from core.training.negatives import make_negatives
from core.transfer import METHODS
from core.transfer.heads import OnEmbeddings, as_table, embed, freeze_norms, output_layer, set_prototypes, with_classes

AN_EPOCH = 1000  # examples: every letter changed anew as often as it takes
COPIES = 1000  # changed letters that prototypes and new output layers are made of
NEGATIVES = 300  # glyphs that are no letter, for the refusal
BATCH = 64
# Peak learning rates. Fine-tuning begins at the prototypes; with 1e-3 it forgot more than it learned (95.5 to 98.9 % of
# 88 letters by three seeds, with 1e-4 and 3e-4 98.9 % by each).
RATES = {"finetune": 3e-4, "head": 1e-2}


@dataclass(frozen=True)
class TransferConfig:
    """What is done to teach letters."""

    method: str = "finetune"
    epochs: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise TrainingError(f"The method must be one of {', '.join(METHODS)}, not {self.method!r}.")
        if not isinstance(self.epochs, int) or isinstance(self.epochs, bool) or self.epochs < 1:
            raise TrainingError(f"epochs must be a whole number of at least 1, not {self.epochs!r}.")
        if not isinstance(self.seed, int) or not 0 <= self.seed < 2**63:
            raise TrainingError(f"seed must be a whole number of at least 0, not {self.seed!r}.")

    def training(self, network: Network) -> TrainingConfig:
        """The same as `Trainer` understands it."""
        return TrainingConfig(
            network=network.spec.architecture,
            epochs=self.epochs,
            batch_size=BATCH,
            learning_rate=RATES[self.method],
            optimizer="adam",
            weight_decay=1e-2,
            dropout=network.spec.dropout,
            cnn=network.spec.cnn,
            augmentation="handwriting" if self.method == "finetune" else "none",
            seed=self.seed,
        )


@dataclass(frozen=True, eq=False)
class Taught:
    """The last event: a network that reads the letters, in eval mode."""

    network: Network
    trainable: int  # parameters that were learned; all others are the source's


def teach(
    source: Network,
    letters: Samples,
    config: TransferConfig = TransferConfig(),
    test: Samples | None = None,
    stop: StopEvent | None = None,
) -> Iterator[EpochDone | Taught]:
    """Teaches a copy of `source` the letters; `test` is only measured (without one, the letters are).

    An epoch is about `AN_EPOCH` examples. Raises `TrainingError` where a class has no letter.
    """
    if missing := [c for i, c in enumerate(letters.classes) if not (letters.labels == i).any()]:
        raise TrainingError(f"There is no picture of {missing[0]!r} to learn from; add one, or leave the class out.")
    torch.manual_seed(config.seed)
    network = with_classes(source, len(letters.classes))
    changed, labels = _changed(letters, config.seed)
    embeddings = embed(network, changed)
    _, layer = output_layer(network)
    set_prototypes(layer, embeddings, labels)
    if config.method == "prototypes":
        yield Taught(network, count_parameters(layer))
    elif config.method == "head":
        yield from _learn_head(network, replace(letters, labels=labels), embeddings, config, test or letters, stop)
    else:
        yield from _fine_tune(network, letters, config, test or letters, stop)


def _learn_head(
    network: Network,
    letters: Samples,
    embeddings: Tensor,
    config: TransferConfig,
    test: Samples,
    stop: StopEvent | None,
) -> Iterator[EpochDone | Taught]:
    """The features are computed once: an epoch then takes milliseconds."""
    _, layer = output_layer(network)
    trainer = Trainer(
        OnEmbeddings(network.spec, layer),
        as_table(letters, embeddings),
        as_table(test, embed(network, test.inputs)),
        config.training(network),
        embed(network, _negatives(letters, config.seed))[:, None],
    )
    for event in trainer.run(stop):
        if isinstance(event, EpochDone):
            yield event
    yield Taught(network.eval(), count_parameters(layer))


def _fine_tune(
    network: Network, letters: Samples, config: TransferConfig, test: Samples, stop: StopEvent | None
) -> Iterator[EpochDone | Taught]:
    """All layers learn but the norms' statistics."""
    tuned = with_classes(network, network.spec.classes)
    tuned.load_state_dict(network.state_dict())
    freeze_norms(tuned)
    many = letters.take(torch.arange(len(letters)).repeat(math.ceil(AN_EPOCH / len(letters))))
    trainer = Trainer(tuned, many, test, config.training(network), _negatives(letters, config.seed))
    for event in trainer.run(stop):
        if isinstance(event, EpochDone):
            yield event
    network.load_state_dict(tuned.state_dict(), strict=False)
    yield Taught(network.eval(), sum(p.numel() for p in tuned.parameters() if p.requires_grad))


def _changed(letters: Samples, seed: int) -> tuple[Tensor, Tensor]:
    """The letters as they are, and changed as hands change them, `(N, 1, 28, 28) float32`; with their labels."""
    generator = torch.Generator().manual_seed(seed)
    rounds = math.ceil(COPIES / len(letters))
    glyphs = as_input(letters.images)
    return (
        torch.cat([glyphs, *(augment(glyphs, generator) for _ in range(rounds))]),
        letters.labels.repeat(rounds + 1),
    )


def _negatives(letters: Samples, seed: int) -> Tensor:
    return make_negatives(NEGATIVES, letters, seed)
