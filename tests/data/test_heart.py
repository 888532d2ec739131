"""`heart:FILE.csv`: eleven numbers a patient, nothing learnt from the test part, and a sentence for every bad table."""

import csv
import json
import os
import statistics

import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler

from core.data import load
from core.data.heart import CLASSES, COLUMNS, FEATURES, MAX_BYTES, prepare, read_heart
from core.data.split import draw_test_part
from core.errors import DataError

ROW = "40,M,ATA,140,289,0,Normal,172,N,1.5,Up,0"


def test_the_real_table(data_or_skip, heart_header):
    file = data_or_skip("heart/heart.csv")
    train, test = load(f"heart:{file}", "train"), load(f"heart:{file}", "test")
    assert (len(train), len(test)) == (734, 184)
    assert train.inputs.shape == (734, 11)
    assert train.inputs.dtype == torch.float32
    assert train.classes == CLASSES
    assert train.columns == tuple(heart_header.split(",")[:-1])
    assert torch.bincount(train.labels).add(torch.bincount(test.labels)).tolist() == [410, 508]
    assert abs(train.labels.float().mean() - test.labels.float().mean()) < 0.01  # stratified
    assert any(
        note.startswith("Cholesterol is unknown") and ": 172 hold 0, which no patient has" in note
        for note in train.notes
    )
    torch.testing.assert_close(train.inputs.mean(dim=0), torch.zeros(11), atol=1e-5, rtol=0)
    torch.testing.assert_close(train.inputs.std(dim=0, correction=0), torch.ones(11), atol=1e-5, rtol=0)


def test_a_row_becomes_its_numbers(heart_file):
    table = read_heart(heart_file([ROW, "63,F,ASY,0,0,1,LVH,100,Y,-0.5,Down,1"] * 2))
    assert table.features[0].tolist() == [40, 1, 2, 140, 289, 0, 0, 172, 0, 1.5, 2]
    np.testing.assert_array_equal(table.features[1], [63, 0, 0, np.nan, np.nan, 1, 2, 100, 1, -0.5, 0])
    assert table.labels.tolist() == [0, 1, 0, 1]


def test_the_order_of_columns_and_rows_of_nothing_do_not_matter(heart_file, heart_rows, heart_header):
    rows = heart_rows(10)
    straight = read_heart(heart_file(rows))
    backwards = [",".join(reversed(row.split(","))) for row in rows]
    turned = read_heart(
        heart_file([*backwards[:5], "", ",,,", *backwards[5:]], ",".join(reversed(heart_header.split(","))))
    )
    np.testing.assert_array_equal(turned.features, straight.features)
    np.testing.assert_array_equal(turned.labels, straight.labels)


def test_unknown_values_get_the_training_parts_median_and_are_told(heart_file, heart_rows):
    rows = [row.split(",") for row in heart_rows(40)]
    for number, unknown in ((3, "0"), (8, "0"), (20, "NA"), (21, "")):
        rows[number][4] = unknown
    rows[5][0] = "NA"
    file = heart_file([",".join(row) for row in rows])
    train = load(f"heart:{file}", "train")
    assert (
        "Cholesterol is unknown in 4 of 40 rows: 2 hold 0, which no patient has, and 2 hold NA or nothing."
        in train.notes
    )
    assert "Age is unknown in 1 of 40 rows: 1 holds NA or nothing." in train.notes
    testing = draw_test_part(read_heart(file).labels)
    known = [
        float(row[4]) for row, tests in zip(rows, testing, strict=True) if not tests and row[4] not in ("0", "NA", "")
    ]
    assert train.preparation["medians"][4] == statistics.median(known)
    assert f"Cholesterol {statistics.median(known):g}" in train.notes[-1]


def test_the_test_part_teaches_nothing(heart_file, heart_rows):
    """Whatever stands in the test part's rows, the training part stays the same."""
    rows = heart_rows(50)
    testing = draw_test_part(np.arange(50) % 2)
    before = load(f"heart:{heart_file(rows)}", "train")
    strange = [f"99,M,TA,399,1999,1,ST,299,Y,19,Up,{n % 2}" if tests else rows[n] for n, tests in enumerate(testing)]
    after = load(f"heart:{heart_file(strange)}", "train")
    assert torch.equal(before.inputs, after.inputs)
    assert before.preparation == after.preparation


def test_prepare_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    train, test = rng.normal(50, 9, (30, 11)), rng.normal(50, 9, (10, 11))
    scaled_train, scaled_test, _ = prepare(train, test)
    scaler = StandardScaler().fit(train)
    np.testing.assert_allclose(scaled_train, scaler.transform(train), atol=1e-5)
    np.testing.assert_allclose(scaled_test, scaler.transform(test), atol=1e-5)


def test_a_feature_that_never_changes_or_is_never_known_does_no_harm():
    train, test = np.random.default_rng(0).normal(size=(30, 11)), np.ones((3, 11))
    train[:, 2], train[:, 4] = 7, np.nan
    scaled_train, scaled_test, _ = prepare(train, test)
    assert np.isfinite(scaled_train).all()
    assert np.isfinite(scaled_test).all()
    assert not scaled_train[:, [2, 4]].any()


def test_the_preparation_suffices_for_new_rows(heart_file, heart_rows):
    """Through JSON, without the module's own functions: what a page does with a form's answers."""
    rows = heart_rows(30)
    rows[0] = rows[0].replace(rows[0].split(",")[4], "0", 1)
    file = heart_file(rows)
    test = load(f"heart:{file}", "test")
    how = json.loads(json.dumps(test.preparation))
    testing = draw_test_part(read_heart(file).labels)
    with file.open() as opened:
        fresh = [row for row, tests in zip(csv.DictReader(opened), testing, strict=True) if tests]
    for row, expected in zip(fresh, test.inputs, strict=True):
        numbers = []
        for column, median in zip(how["columns"], how["medians"], strict=True):
            if column in how["categories"]:
                numbers.append(how["categories"][column].index(row[column]))
            else:
                number = float(row[column])
                numbers.append(median if number == 0 and column in how["unknown_at_0"] else number)
        scaled = (np.array(numbers) - how["means"]) / how["deviations"]
        np.testing.assert_allclose(scaled, expected, rtol=1e-5, atol=1e-6)


def test_every_category_has_a_number_of_its_own():
    assert len(COLUMNS) == 11
    for values in FEATURES.values():
        assert len(set(values)) == len(values) >= 2


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([ROW, "x" + ROW], "line 3: Age is 'x40'; a number from 0 to 130 is expected"),
        ([ROW, ROW.replace("289", "high")], "line 3: Cholesterol is 'high'; a number"),
        ([ROW, ROW.replace("289", "1e999")], "line 3: Cholesterol is '1e999'; a number"),
        ([ROW, ROW.replace("289", "-5")], "line 3: Cholesterol is '-5'; a number"),
        ([ROW.replace("ATA", "ABC")], "line 2: ChestPainType is 'ABC'; one of ASY, NAP, ATA, TA"),
        ([ROW.replace(",M,", ",,")], "line 2: Sex is ''; one of F, M"),
        ([ROW[:-1] + "2"], "line 2: HeartDisease is '2'; 0 or 1"),
        ([ROW[:-1] + "0.5"], "line 2: HeartDisease is '0.5'; 0 or 1"),
        ([ROW, "1,2,3"], "line 3: 3 cells came, 12 are expected"),
        ([ROW, '"' + ROW], "line 3 is not CSV"),
        ([ROW] * 9, "9 with no heart disease and 0 with heart disease; at least two of each"),
        ([ROW, ROW[:-1] + "1"] + [ROW] * 5, "6 with no heart disease and 1 with heart disease; at least two of each"),
        ([], "has a header but no rows"),
    ],
)
def test_bad_rows_are_named(heart_file, rows, message):
    with pytest.raises(DataError, match=message) as error:
        load(f"heart:{heart_file(rows)}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("Age,", ""), "lacks the column Age; a heart table has Age, Sex"),
        (("Age,Sex", "Years,Gender"), "lacks the columns Age, Sex, and does not know Years, Gender; a heart table"),
        ((",", ";"), "lacks the columns Age, .*separated by commas"),
        (("MaxHR", "MaxHR,Age"), "has the column Age twice"),
    ],
)
def test_bad_columns_are_named(heart_file, heart_header, change, message):
    with pytest.raises(DataError, match=message):
        load(f"heart:{heart_file([ROW], heart_header.replace(*change))}")


def test_columns_more_than_needed_are_left_out_and_told(heart_file, heart_rows, heart_header):
    samples = load(f"heart:{heart_file([f'{row},7' for row in heart_rows(10)], heart_header + ',Shoe size')}")
    assert samples.inputs.shape == (8, 11)
    assert samples.notes[0] == "Columns that are not used were left out: Shoe size."


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        ("Age,Sex\n".encode("utf-16"), "is not text in UTF-8"),
        (b"\x89PNG\r\n\x1a\n\0\0", "is not text in UTF-8"),
        (b"a" * 200_000, "line 1 is not CSV|lacks the columns"),
        (b"7," * (MAX_BYTES // 2 + 1), "is larger than 10 MB"),
    ],
)
def test_files_that_are_no_table_are_told(tmp_path, content, message):
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(DataError, match=message) as error:
        load(f"heart:{tmp_path}/x.csv")
    assert len(str(error.value)) < 800


def test_missing_files_and_folders_are_told(tmp_path):
    with pytest.raises(DataError, match="none.csv does not exist; give a heart table as CSV"):
        load(f"heart:{tmp_path}/none.csv")
    with pytest.raises(DataError, match="is not a file; give a heart table as CSV"):
        load(f"heart:{tmp_path}")


def test_a_spreadsheets_byte_order_mark_and_line_ends_are_read(tmp_path, heart_file, heart_rows, heart_header):
    rows = heart_rows(10)
    (tmp_path / "excel.csv").write_bytes(b"\xef\xbb\xbf" + "\r\n".join([heart_header, *rows]).encode())
    np.testing.assert_array_equal(read_heart(tmp_path / "excel.csv").features, read_heart(heart_file(rows)).features)


def test_a_changed_file_is_read_anew(heart_file, heart_rows):
    name = f"heart:{heart_file(heart_rows(10))}"
    first = load(name)
    assert load(name) is first
    file = heart_file(heart_rows(10, seed=1))
    os.utime(file, ns=(1, file.stat().st_mtime_ns + 1))  # a clock may be coarser than two writes
    assert load(name).sha256 != first.sha256
