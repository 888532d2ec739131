"""Greek Transfer, section Photos: pictures from everywhere, a backbone, a head, and what it really reaches."""

import io
import time
import zipfile

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.transfer import photo_job
from tests.transfer.photo_parts import make_folder


@pytest.fixture
def photos(open_app) -> AppTest:
    """The section with a small untrained backbone and few epochs."""
    photo_job._jobs.clear()
    app = open_app("pages/greek_transfer.py")
    app.segmented_control(key="transfer_section").set_value("Photos").run()
    app.number_input(key="photos_epochs").set_value(3)
    return checked(app.selectbox(key="inspect_photo_network").set_value("shufflenet_v2_x0_5").run())


def checked(app: AppTest) -> AppTest:
    assert not app.exception, app.exception[0].stack_trace
    return app


def shown(app: AppTest) -> str:
    return " ".join(element.value for kind in (app.markdown, app.caption, app.info, app.warning) for element in kind)


def taught(app: AppTest) -> AppTest:
    app = checked(app.button(key="photos_start").click().run())
    for _ in range(200):
        if not any(job.running for job in photo_job._jobs.values()):
            break
        time.sleep(0.1)
    return checked(app.run())


def test_a_folder_is_taught_and_measured_honestly(photos, tmp_path):
    app = photos
    assert "60 tiles each" in shown(app), "the page is not empty on the first visit"
    folder = make_folder(tmp_path / "colours", 5)
    (folder / "red" / "broken.png").write_bytes(b"no picture")
    app.segmented_control(key="photos_source").set_value("folder").run()
    app = checked(app.text_input(key="photos_folder").set_value(str(folder)).run())
    assert "**11 pictures** of 2 classes" in shown(app)
    app = taught(app)
    assert not app.error, app.error[0].value
    said = shown(app)
    assert "5-fold cross-validation" in said
    assert "random weights" in said
    assert "broken.png could not be read" in said
    assert "one pass of 10 pictures" in said
    assert [metric.label for metric in app.metric] == ["Right", "95 % interval", "Pictures"]
    right = app.metric[2].value
    table = app.dataframe[0].value
    assert right == f"{(table.actual == table.predicted).sum()} of 10"
    assert app.button(key="photos_start").label == "Teach it again"
    assert "no picture passed through" in shown(taught(app)), "the second time all is known"


def test_a_hostile_zip_and_folders_that_are_none_say_so(photos, tmp_path):
    app = photos
    app.segmented_control(key="photos_source").set_value("upload").run()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("../outside/a.png", b"x")
    app.file_uploader(key="photos_upload").upload("bad.zip", content.getvalue(), "application/zip")
    assert "would lie outside its folder" in checked(app.run()).error[0].value
    app.segmented_control(key="photos_source").set_value("folder").run()
    app = checked(app.text_input(key="photos_folder").set_value("/nowhere").run())
    assert "/nowhere does not exist" in app.error[0].value
    assert "Choose pictures and a backbone" in shown(app)
    app = checked(app.text_input(key="photos_folder").set_value(str(make_folder(tmp_path / "x", 3, ("red",)))).run())
    assert "give at least two" in app.error[0].value


def test_a_zip_with_a_test_part_and_a_picture_to_try(photos, tmp_path):
    app = photos
    make_folder(tmp_path / "set/train", 3)
    make_folder(tmp_path / "set/test", 2, seed=4)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for file in sorted((tmp_path / "set").rglob("*.png")):
            archive.write(file, file.relative_to(tmp_path))
    app.segmented_control(key="photos_source").set_value("upload").run()
    app.file_uploader(key="photos_upload").upload("set.zip", content.getvalue(), "application/zip")
    app = checked(app.run())
    assert "**6 pictures** of 2 classes, 4 more test it" in shown(app)
    app = taught(app)
    assert "the set’s own test part" in shown(app)
    assert app.metric[2].value.endswith("of 4")
    picture = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 40, 40)).save(picture, "JPEG")
    app.file_uploader(key="photos_try").upload("mine.jpg", picture.getvalue(), "image/jpeg")
    assert "It always answers one of its classes" in shown(checked(app.run()))
    app.file_uploader(key="photos_try").upload("broken.jpg", b"no", "image/jpeg")
    assert "is not a picture that can be read" in checked(app.run()).error[0].value
