"""Teaching photographs in the background, and what comes of it."""

import hashlib
import io
import json
import threading
import time
import zipfile
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from safetensors.torch import save

from core.errors import DataError
from core.inspection.subject import Subject
from core.training.calibration import fit_temperature
from core.training.execute import versions
from core.training.results import TestResult, result_of
from core.transfer.photo_features import Backbone, PhotoFeatures, backbone_of, compute_features
from core.transfer.photo_head import HeadConfig, TaughtHead, answers, cross_validate_head, folds_of, teach_head
from core.transfer.photo_set import Photo, PhotoSet
from core.work import CountedWork

MOST_KEPT = 8  # finished jobs that are remembered
ENOUGH = 10  # answers from which a temperature can be fitted
_guard = threading.Lock()
_jobs: dict[str, "PhotoJob"] = {}


@dataclass(frozen=True, eq=False)
class PhotoResult:
    """A head and how well it does on pictures that did not teach it."""

    photo_set: PhotoSet
    backbone: Backbone
    config: HeadConfig
    taught: TaughtHead  # by all pictures that teach
    test: TestResult  # of the held-out pictures
    tested: tuple[Photo, ...]  # those, in the order of `test`
    folds: int  # of the cross-validation; 0 where the set has a test part of its own
    features: int  # numbers a picture
    pictures: int  # that teach
    computed: int  # pictures that passed through the backbone now; the others were known
    pass_s: float  # seconds that these took
    teach_s: float  # seconds for the cross-validation's heads and the last one
    notes: tuple[str, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        return self.test.classes

    def read(self, pixels: np.ndarray) -> np.ndarray:
        """`(C,)` probabilities for a picture `(H, W, 3) uint8` RGB."""
        features = self.backbone.features(self.backbone.prepare(pixels))
        logits = answers(self.taught.head, torch.from_numpy(features))
        return (logits[0] / self.test.temperature).softmax(0).numpy()

    def about(self) -> dict[str, Any]:
        """What stands beside the head's weights, as plain JSON."""
        low, high = self.test.interval
        return {
            "what": (
                "A head for the features of a frozen network for photographs: "
                "(features - mean) / spread, hidden, ReLU, output; softmax of output / temperature."
            ),
            "backbone": {"name": self.backbone.name, "weights_sha256": self.backbone.weights_sha256,
                         "learned": self.backbone.learned, "features": self.features},
            "classes": list(self.classes),
            "head": asdict(self.config),
            "temperature": self.test.temperature,
            "data": {"name": self.photo_set.name, "pictures": self.pictures},
            "measured": {
                "how": f"{self.folds}-fold cross-validation" if self.folds else "a test part of its own",
                "pictures": len(self.test), "accuracy": self.test.accuracy, "interval_95": [low, high],
            },
            "versions": versions(),
        }  # fmt: skip

    def to_zip(self) -> bytes:
        """`head.safetensors` and `head.json`."""
        weights = save({key: value.contiguous() for key, value in self.taught.head.state_dict().items()})
        about = self.about() | {"head_sha256": hashlib.sha256(weights).hexdigest()}
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("head.safetensors", weights)
            archive.writestr("head.json", json.dumps(about, indent=2, ensure_ascii=False))
        return content.getvalue()


class PhotoJob(CountedWork):
    """Computes features and teaches a head; once stopped it keeps the features that are there."""

    kind = "photos"

    def __init__(self, subject: Subject, photo_set: PhotoSet, config: HeadConfig) -> None:
        super().__init__(len(photo_set.photos) + len(photo_set.tested))
        self.subject, self.photo_set, self.config = subject, photo_set, config
        self.phase = "features"  # then "head": steps and progress are the phase's, pictures or epochs
        self.result: PhotoResult | None = None

    def _work(self) -> None:
        self.result = self._teach()

    def _enter(self, phase: str, total: int) -> None:
        self.phase, self.done, self.total, self.began = phase, 0, total, time.monotonic()

    def _teach(self) -> PhotoResult:
        backbone, given = backbone_of(self.subject), self.photo_set
        self._enter("features", len(given.photos) + len(given.tested))
        taught = self._features(backbone, given.photos, 0)
        tested = self._features(backbone, given.tested, len(given.photos)) if given.tested else None
        classes = _readable_classes(taught, tested)
        learned, labels = _tensors(taught, classes)
        folds = 0 if tested else folds_of(labels, len(classes))
        self._enter("head", (folds + 1) * self.config.epochs)
        started = time.perf_counter()
        final = teach_head(learned, labels, len(classes), self.config, self.stop_event.is_set, self._step)
        if tested:
            inputs, true = _tensors(tested, classes)
            logits = answers(final.head, inputs).numpy()
        else:
            true = labels
            logits = cross_validate_head(learned, labels, len(classes), self.config, self.stop_event.is_set, self._step)
        return PhotoResult(
            given,
            backbone,
            self.config,
            final,
            result_of(logits, true.numpy(), classes, _temperature(logits, true)),
            (tested or taught).photos,
            folds,
            learned.shape[1],
            len(labels),
            taught.computed + (tested.computed if tested else 0),
            taught.seconds + (tested.seconds if tested else 0.0),
            time.perf_counter() - started,
            (*given.notes, *taught.notes, *(tested.notes if tested else ())),
        )

    def _features(self, backbone: Backbone, photos: tuple[Photo, ...], before: int) -> PhotoFeatures:
        def tell(done: int, total: int) -> None:
            self.done = before + done

        return compute_features(backbone, photos, tell, self.stop_event.is_set)

    def _step(self) -> None:
        self.done += 1


def _readable_classes(taught: PhotoFeatures, tested: PhotoFeatures | None) -> tuple[str, ...]:
    """The classes in their order; raises `DataError` where too few pictures could be read."""
    rest = PhotoSet("What could be read of the pictures", taught.photos, tested.photos if tested else ())
    if tested is not None and not tested.photos:
        raise DataError("None of the test part's files could be read as a picture; give PNG, JPEG, WebP, BMP or GIF.")
    return rest.checked().classes


def _tensors(features: PhotoFeatures, classes: tuple[str, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """`(N, D) float32` and `(N,) int64`; pictures of classes that nothing taught are left out before."""
    numbers = [classes.index(photo.label) for photo in features.photos]
    return torch.from_numpy(features.values), torch.tensor(numbers)


def _temperature(logits: np.ndarray, labels: torch.Tensor) -> float:
    """1 where there are few answers, or no mistake among them: then any sharpening would fit."""
    fitted = len(labels) >= ENOUGH and bool((logits.argmax(1) != labels.numpy()).any())
    return fit_temperature(torch.from_numpy(logits), labels) if fitted else 1.0


def start(key: str, subject: Subject, photo_set: PhotoSet, config: HeadConfig) -> PhotoJob:
    """Begins the job of that key; where it is going on already, that one."""
    with _guard:
        if key not in _jobs or not _jobs[key].running:
            _jobs.pop(key, None)
            for old in [k for k, job in _jobs.items() if not job.running][: max(0, len(_jobs) - MOST_KEPT + 1)]:
                del _jobs[old]
            _jobs[key] = PhotoJob(subject, photo_set, config).begin()
        return _jobs[key]


def job_of(key: str) -> PhotoJob | None:
    """The job of that key that is going on, or the last one."""
    return _jobs.get(key)
