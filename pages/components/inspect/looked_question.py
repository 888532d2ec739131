"""What is asked of a network in the section "Where it looked"."""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from functools import cached_property

from torch import Tensor

from core.inspection.attributions import Method
from core.inspection.rows import feature_texts
from core.inspection.subject import Layer
from core.reading import written
from pages.components.inspect.view import View


def in_its_words(view: View, text: str) -> str:
    """A text about a class and its score, as it reads for a network without an output layer."""
    if view.subject.classes:
        return text
    return text.replace("class", "channel").replace("score", "mean activation")


@dataclass(frozen=True, eq=False)
class Question:
    """Why these classes, by this method?"""

    view: View
    method: Method
    targets: tuple[int, int]  # the class that is explained and the one that it is set against
    names: tuple[str, ...]  # of all classes, or of the channels without an output layer
    layer: Layer | None = None  # that Grad-CAM looks at
    narrow: bool = False  # for a phone's screen

    @property
    def key(self) -> tuple[Hashable, ...]:
        """For what is kept, besides the class."""
        return (*self.view.keys, self.method.name, self.layer.name if self.layer else "")

    @cached_property
    def inputs(self) -> Tensor:
        assert self.view.specimen is not None
        return self.view.subject.inputs(self.view.specimen)

    @property
    def features(self) -> list[str]:
        """A row's features with their values."""
        assert self.view.specimen is not None
        if self.view.trained is None:
            return list(self.view.subject.columns)
        return feature_texts(self.view.trained.passport.preprocessing, self.view.specimen.pixels)

    def worded(self, text: str) -> str:
        """A text about classes, of a network that has none: there channels are explained."""
        return in_its_words(self.view, text)

    def name_of(self, target: int) -> str:
        return written(self.names[target])

    def by(self, method: Method) -> "Question":
        """The same by another method."""
        from core.inspection.attributions import GRAD_CAM

        layer = (self.layer or self.view.subject.convolutions[-1]) if method.name == GRAD_CAM else None
        return replace(self, method=method, layer=layer)
