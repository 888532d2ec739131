"""The recognizer reads glyphs, and says of which networks it cannot be made."""

import shutil

import numpy as np
import pytest

from core.errors import NetworkError
from core.networks import delete_network, export_zip, import_zip, rename_network
from core.paths import ASSETS
from core.reading import open_recognizer


def test_a_recognizer_is_opened_once_for_as_long_as_its_network_stays_the_same(inkling_home):
    glyphs = np.random.default_rng(0).random((3, 28, 28), np.float32)
    report, digits = (open_recognizer(name).classify(glyphs)[0] for name in ("report", "digits"))
    import_zip(export_zip("report"), "mine")
    first = open_recognizer("mine")
    assert open_recognizer("mine") is first
    np.testing.assert_allclose(first.classify(glyphs)[0], report, atol=1e-6)
    delete_network("mine")
    shutil.copytree(ASSETS / "networks" / "digits", inkling_home / "networks" / "other")
    (inkling_home / "networks" / "other" / "network.onnx").unlink()
    rename_network("other", "mine")
    np.testing.assert_allclose(open_recognizer("mine").classify(glyphs)[0], digits, atol=1e-5)


def test_a_network_for_tables_reads_nothing(table_network):
    with pytest.raises(NetworkError, match="'rows' takes the rows of a table and cannot read pictures; choose one"):
        open_recognizer("rows")
