"""A space out into files and in again; tables of others, however they are made; what is no table."""

import csv
import io

import numpy as np
import pandas as pd
import pytest

from core.embedding.files import (
    FIRST,
    LAST,
    MAX_NUMBERS,
    NONE,
    UNLABELLED,
    class_means_csv,
    distances_csv,
    embeddings_csv,
    embeddings_npy,
    embeddings_npz,
    map_csv,
    pictures_of,
    read_table,
    space_of,
)
from core.embedding.space import Space
from core.errors import DataError


@pytest.fixture(scope="module")
def space():
    rng = np.random.default_rng(2)
    return Space(
        rng.normal(size=(4, 3)).astype(np.float32), rng.integers(0, 255, (4, 28, 28)).astype(np.uint8),
        np.array([0, 1, 1, 0]), np.array([0, 0, 1, 1]), ("alpha", 'a "β",\nγ'), ("mnist test", "my letters"),
    )  # fmt: skip


def test_what_goes_out_comes_in_again(space):
    content = embeddings_csv(space, "report", "dense")
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert [row["id"] for row in rows] == ["1", "2", "3", "4"]
    assert {(row["network"], row["layer"]) for row in rows} == {("report", "dense")}
    table = read_table(content, "out.csv")
    again = space_of(table, "out.csv")
    np.testing.assert_allclose(again.embeddings, space.embeddings, rtol=1e-5)
    assert [again.classes[i] for i in again.labels] == [space.classes[i] for i in space.labels]
    assert [again.set_names[i] for i in again.sets] == [space.set_names[i] for i in space.sets]
    assert not again.glyphs.any()


def test_arrays_open_without_pickle(space):
    layout = np.zeros((4, 2), np.float32)
    with np.load(io.BytesIO(embeddings_npz(space, "report", "dense", {"pca_2d": layout})), allow_pickle=False) as kept:
        np.testing.assert_array_equal(kept["embeddings"], space.embeddings)
        np.testing.assert_array_equal(kept["glyphs"], space.glyphs)
        assert kept["classes"][kept["labels"]].tolist() == [space.classes[i] for i in space.labels]
        assert (str(kept["network"]), kept["map_pca_2d"].shape) == ("report", (4, 2))
    np.testing.assert_array_equal(np.load(io.BytesIO(embeddings_npy(space)), allow_pickle=False), space.embeddings)


def test_maps_and_distances_go_out_as_tables(space):
    points = np.arange(12, dtype=np.float32).reshape(4, 3)
    table = pd.read_csv(io.BytesIO(map_csv(space, "report", "dense", points)))
    np.testing.assert_array_equal(table[["x", "y", "z"]].to_numpy(), points)
    table = pd.read_csv(io.BytesIO(distances_csv(points[:, :2].T, [0, 2], space, "SSD")))
    np.testing.assert_array_equal(table.iloc[:, 3:].to_numpy(), points[:, :2])
    assert table.columns[3] == "SSD to 1 (alpha)"
    means = pd.read_csv(io.BytesIO(class_means_csv(np.array([[1, np.nan], [2, 3]]), ("a", "b"))))
    assert means["class"].tolist() == ["a", "b"]
    assert np.isnan(means["b"][0])


@pytest.mark.parametrize(
    ("text", "place", "labels", "first"),
    [
        ("1,2\n3,4\n", "found by itself", None, [1, 2]),
        ("a,b\n1,2\n", "found by itself", None, [1, 2]),
        ("x;1,5;2\ny;3,5;4\n", "found by itself", ("x", "y"), [1.5, 2]),
        ("\ufeffn1\tclass\n1e-3\tα\n", "found by itself", ("α",), [1e-3]),
        ("1,2,7\r\n3,4,8\r\n\r\n", LAST, ("7", "8"), [1, 2]),
        ("7,1,2\n8,3,4\n", FIRST, ("7", "8"), [1, 2]),
        ("label,1,2\n,3,4\n", "found by itself", (UNLABELLED,), [3, 4]),
        ("label,n\n5,2\n", NONE, None, [5, 2]),
        ("alpha,1,2\nbeta,3,4\n", "found by itself", ("alpha", "beta"), [1, 2]),
    ],
)
def test_tables_may_differ_in_all_that_programs_differ_in(text, place, labels, first):
    table = read_table(text.encode(), "t.csv", place)
    assert table.labels == labels
    assert table.vectors[0].tolist() == pytest.approx(first)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"a,b\n", "no rows"),
        (b"1,2\n3\n", "line 2: 1 cells came, 2 are expected"),
        (b"label,a\nx,1\ny,NaN\n", "line 3, column 2: 'NaN' is no finite number"),
        (b"1,1e999\n", "no finite number"),
        (b"label,a\nx,1\ny,?\n", "line 3, column 2: '\\?' is no number"),
        (b"x,y,1\nz,w,2\n", "2 columns with something else than numbers"),
        (b"label\nx\n", "no column of numbers"),
        (b"\xff\xfe1\x00,", "UTF-8"),
        (b"PK\x03\x04\x00\x00", "binary"),
        (b'1,"2\n', "not CSV"),
        (b",".join([b"1"] * (MAX_NUMBERS + 1)), "at most 4,096"),
        (b"1\n" * 70_001, "at most 70,000"),
    ],
)
def test_what_is_no_table_is_refused_with_its_place(content, message):
    with pytest.raises(DataError, match=message):
        read_table(content, "t.csv")


def test_too_many_labels_are_no_labels():
    table = read_table("".join(f"c{i},1\n" for i in range(1001)).encode(), "t.csv")
    with pytest.raises(DataError, match="1,001 different labels"):
        space_of(table, "t.csv")


def test_rows_of_784_intensities_are_pictures(space):
    rows = space.glyphs.reshape(4, -1).astype(np.float32)
    np.testing.assert_array_equal(pictures_of(rows), space.glyphs)
    np.testing.assert_array_equal(pictures_of(rows / 255), space.glyphs)
    assert not pictures_of(rows - 1).any()  # a negative number is no intensity
    assert not pictures_of(rows[:, :50]).any()
