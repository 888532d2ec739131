"""What tests of teaching share."""

from collections.abc import Iterator

import pytest

from core.transfer import features, methods


@pytest.fixture(scope="module")
def small_epochs() -> Iterator[None]:
    """A fifth of the changed copies, for tests that do not ask how well it reads."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(features, "COPIES", 200)
        patch.setattr(methods, "AN_EPOCH", 200)
        yield
