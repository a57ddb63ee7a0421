"""The training page's form: data come in, are looked at, and a run with the settings that were chosen begins."""

import io
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.data import sample_set
from core.training import estimate, queue, runs
from core.training.config import TrainConfig
from core.training.presets import PRESETS
from pages.components import training_data, training_form, training_samples, training_settings
from pages.components.training_words import setting_label
from tests.pages.support import BLUE, RED, ColourDetector, open_app, run_until, words
from tests.pages.training_runs import pretend_to_start

PHASES = ("features", "head", "training")


def picture(path: Path, seed: int, rgb: tuple[int, int, int] = BLUE) -> None:
    """A coarse pattern of its own, so that no two are taken for copies of each other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 120, (8, 8, 3)) + np.array(rgb) // 2
    Image.fromarray(coarse.clip(0, 255).astype(np.uint8)).resize((96, 96)).save(path)


def data_set(folder: Path, classes: tuple[str, ...] = ("Real", "Fake"), number: int = 12) -> Path:
    """Pictures in train and val, `number` and half of it for each class."""
    for order, label in enumerate(classes):
        for split, count in (("train", number), ("val", number // 2)):
            for index in range(count):
                colour = RED if order else BLUE
                picture(
                    folder / split / label / f"{index}.png", seed=1000 * order + 10 * index + len(split), rgb=colour
                )
    return folder


@pytest.fixture
def root(detector: ColourDetector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of runs, in which nothing is ever really started."""
    monkeypatch.setenv("DEEPFAKE_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(queue, "launch", pretend_to_start)
    monkeypatch.setattr(training_samples, "A_CLASS", 2)
    return tmp_path / "runs"


@pytest.fixture
def form(root: Path) -> AppTest:
    """The form, which stands there at once where there is no run."""
    return open_app().switch_page("pages/training.py").run()


def give_path(form: AppTest, path: Path | str) -> AppTest:
    """A path, typed; the form as it stands when the data were looked at."""
    form.text_input(key="training_path_0").set_value(str(path)).run()
    assert not form.exception
    return run_until(form, lambda app: "Looking at the data" not in bars(app))


def bars(app: AppTest) -> str:
    return " ".join(bar.proto.text for bar in app.get("progress"))


def start(form: AppTest) -> TrainConfig:
    """Press Start; the settings of the run that begins."""
    form.button(key="training_start").click().run()
    assert not form.exception
    (run,) = runs.list_runs()
    assert run.id in form.query_params["run"]
    assert run.config is not None
    return run.config


def can_start(form: AppTest) -> bool:
    return not form.button(key="training_start").disabled


def test_nothing_starts_without_data(form: AppTest) -> None:
    assert not form.exception
    assert not can_start(form)
    assert "Choose the data first." in words(form)


def test_a_folder_is_looked_at_and_trained_on(form: AppTest, tmp_path: Path) -> None:
    folder = data_set(tmp_path / "faces")
    give_path(form, folder)
    said = words(form)
    assert "**36** pictures" in said
    assert "As the network will see them" in said and "Few pictures" in said
    assert "tiny was trained at 32 px and starts at 160 px here" in said
    config = start(form)
    assert config.data == (str(folder),)
    assert config.preset == "standard"
    assert config.init == "tiny"  # the detector that is here: nothing is downloaded unasked


def empty(folder: Path) -> Path:
    folder.mkdir()
    return folder


def texts(folder: Path) -> Path:
    (folder / "Real").mkdir(parents=True)
    (folder / "Real" / "notes.txt").write_text("no picture")
    return folder


def one_class_folder(folder: Path) -> Path:
    return data_set(folder) / "train" / "Real"


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda folder: folder / "nowhere", "There is no folder"),
        (empty, "No pictures were found"),
        (texts, "No pictures were found"),
        (one_class_folder, "is a class itself"),
        (lambda folder: "a\0b", "check how it is written"),  # no path at all
        (lambda folder: "~nobody-of-this-name/x", "check how it is written"),  # no such user
    ],
)
def test_data_that_cannot_be_used_are_a_sentence(
    form: AppTest, tmp_path: Path, make: Callable[[Path], Path | str], sentence: str
) -> None:
    give_path(form, make(tmp_path / "data"))
    assert len(form.error) == 1
    assert sentence in form.error[0].value.replace("\\", "")
    assert not can_start(form)


def test_paths_outside_the_roots_are_refused(form: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data_set(tmp_path / "allowed")
    data_set(tmp_path / "secret")
    monkeypatch.setenv("DEEPFAKE_DATA_ROOTS", str(tmp_path / "allowed"))
    give_path(form, tmp_path / "secret")
    assert "only reads folders below" in form.error[0].value
    assert not training_data.folders() or str(tmp_path / "secret") not in training_data.folders()
    give_path(form, f"'{tmp_path / 'allowed'}'")  # in quotes, as file managers copy it
    assert not form.error
    assert can_start(form)


def test_only_real_pictures_offer_to_make_the_fakes(form: AppTest, tmp_path: Path) -> None:
    give_path(form, data_set(tmp_path / "faces", classes=("Real",)))
    assert "There are only real pictures" in words(form)
    assert not can_start(form)
    form.button(key="training_blend").click().run()
    assert not form.exception
    assert can_start(form)
    form.button(key="preset_quick").click().run()  # another preset takes nothing back
    assert can_start(form)
    assert start(form).self_blend == 1.0


def test_a_zip_is_taken_in_and_offered_again(form: AppTest, tmp_path: Path) -> None:
    folder = data_set(tmp_path / "faces")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(folder.rglob("*.png")):
            archive.write(path, path.relative_to(tmp_path))
    form.get("segmented_control")[0].set_value(training_data.ZIP).run()
    form.file_uploader[0].upload("faces.zip", packed.getvalue()).run()
    assert not form.exception
    run_until(form, lambda app: "pictures" in words(app))
    (kept,) = (Path(os.environ["DEEPFAKE_HOME"]) / "datasets").iterdir()
    form.button(key=f"drop_{kept}").click().run()
    form.get("segmented_control")[0].set_value(training_data.KEPT).run()
    form.button(key="use_faces").click().run()
    assert start(run_until(form, can_start)).data == (str(kept),)


def test_what_is_no_zip_says_so(form: AppTest) -> None:
    form.get("segmented_control")[0].set_value(training_data.ZIP).run()
    form.file_uploader[0].upload("faces.zip", b"no zip").run()
    assert not form.exception
    assert "no ZIP" in form.error[0].value


def test_a_dropped_folder_keeps_its_shape(form: AppTest, tmp_path: Path) -> None:
    folder = data_set(tmp_path / "faces", number=2)
    form.get("segmented_control")[0].set_value(training_data.FOLDER).run()
    for path in sorted(folder.rglob("*.png")):
        form.file_uploader[0].upload(path.relative_to(tmp_path).as_posix(), path.read_bytes())
    form.run()
    assert not form.exception
    (kept,) = (Path(os.environ["DEEPFAKE_HOME"]) / "datasets").iterdir()
    assert kept.name == "faces"
    assert (kept / "train" / "Real" / "0.png").is_file()


def test_the_sample_set_is_one_click_away(form: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = data_set(tmp_path / "sample-set")
    monkeypatch.setattr(sample_set, "sample_data_set", lambda: made)
    monkeypatch.setattr(training_data, "sample_data_set", lambda: made)
    form.button(key="training_sample_set").click().run()
    assert start(run_until(form, can_start)).data == (str(made),)


def test_several_folders_and_one_dropped_again(form: AppTest, tmp_path: Path) -> None:
    first, second = data_set(tmp_path / "a"), data_set(tmp_path / "b", number=8)
    give_path(form, first)
    form.text_input(key="training_path_1").set_value(str(second)).run()
    form.button(key=f"drop_{first}").click().run()
    assert start(run_until(form, can_start)).data == (str(second),)


def test_a_preset_brings_its_settings_and_what_was_changed_wins(form: AppTest, tmp_path: Path) -> None:
    give_path(form, data_set(tmp_path / "faces"))
    form.button(key="preset_quick").click().run()
    form.number_input(key="set_quick_seed").set_value(7).run()
    form.text_input(key="training_name").set_value("  Office  ").run()
    config = start(form)
    assert config == PRESETS["quick"].config(
        seed=7, name="Office", data=(str(tmp_path / "faces"),), init="tiny", description=config.description
    )


def test_each_preset_keeps_what_was_changed_in_it(form: AppTest) -> None:
    form.number_input(key="set_standard_seed").set_value(5).run()
    form.button(key="preset_quick").click().run()
    assert form.number_input(key="set_quick_seed").value == 0
    form.button(key="preset_standard").click().run()
    assert form.number_input(key="set_standard_seed").value == 5


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("input_size", 3, "input_size"),
        ("batch_size", 7, "batch_size"),  # odd
        ("batch_size", 0, "batch_size"),
        ("learning_rate", 0.0, "learning_rate"),
        ("epochs", -1, "epochs"),
        ("epoch_pictures", 2, "epoch_pictures"),  # less than a batch
        ("self_blend", 1.5, "self_blend"),
        ("dropout", 1.0, "dropout"),
        ("seed", -1, "seed"),
        ("source_weights", "web", "source_weights"),  # not name=number
    ],
)
def test_what_is_impossible_says_so_and_does_not_start(
    form: AppTest, tmp_path: Path, field: str, value: float | str, named: str
) -> None:
    widget = form.text_input if isinstance(value, str) else form.number_input
    widget(key=f"set_standard_{field}").set_value(value).run()  # type: ignore[arg-type]
    assert not form.exception
    assert len(form.error) == 1
    assert setting_label(named) in form.error[0].value.replace("\\", "")
    assert not can_start(form)


def test_a_run_needs_a_name(form: AppTest, tmp_path: Path) -> None:
    give_path(form, data_set(tmp_path / "faces"))
    form.text_input(key="training_name").set_value(" ").run()
    assert not can_start(form)
    assert "name" in form.error[0].value


def test_every_setting_has_a_widget(form: AppTest) -> None:
    for name in training_settings.KNOWN:
        assert form.get_by_key(f"set_standard_{name}").value is not None


def test_times_are_said_for_every_preset(form: AppTest) -> None:
    said = words(form)
    assert said.count(":material/schedule: about") == len(PRESETS)
    assert "Guessed, until a run has done its first batches" in said


def test_data_that_are_gone_when_start_is_pressed(form: AppTest, tmp_path: Path) -> None:
    folder = data_set(tmp_path / "faces")
    give_path(form, folder)
    shutil.rmtree(folder)
    form.button(key="training_again").click().run()
    run_until(form, lambda app: bool(app.error))
    assert "There is no folder" in form.error[0].value
    assert not can_start(form)


def test_data_without_a_real_picture_cannot_start(form: AppTest, tmp_path: Path) -> None:
    give_path(form, data_set(tmp_path / "faces", classes=("Fake",)))
    assert "There are no real pictures" in words(form)
    assert not can_start(form)


def test_the_speed_of_this_machine_is_measured_on_request(form: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        training_form, "measure_speed", lambda config: [estimate.record_speed(config, name, 1e6) for name in PHASES]
    )
    guessed = words(form)
    form.button(key="training_measure").click().run()
    run_until(form, lambda app: "by the speed that was measured" in words(app))
    assert "about a minute" in words(form)
    assert "about a minute" not in guessed.split("Standard")[1].split("Thorough")[0]
