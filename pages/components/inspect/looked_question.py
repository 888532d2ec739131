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

    def name_of(self, target: int) -> str:
        return written(self.names[target])

    def by(self, method: Method) -> "Question":
        """The same by another method."""
        from core.inspection.attributions import GRAD_CAM

        layer = (self.layer or self.view.subject.convolutions[-1]) if method.name == GRAD_CAM else None
        return replace(self, method=method, layer=layer)
