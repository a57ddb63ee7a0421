"""Settings: impossible values are refused in words, a run's file comes back as it was, presets give way to flags."""

import json
from dataclasses import fields

import pytest

import train
from core.errors import TrainingError
from core.training.config import TrainConfig
from core.training.presets import PRESETS


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"input_size": 64}, "from 71"),  # Xception leaves no features
        ({"input_size": 5000}, "to 1024"),
        ({"blocks": 1}, "blocks"),
        ({"batch_size": 3}, "even"),  # half real, half fake
        ({"batch_size": 0}, "even"),
        ({"epochs": -1}, "epochs"),
        ({"epochs": 0, "head_epochs": 0}, "at least 1"),  # nothing to do
        ({"head_epochs": -1}, "head_epochs"),
        ({"epoch_pictures": 8, "batch_size": 16}, "one batch"),
        ({"minutes": -1.0}, "minutes"),
        ({"minutes": float("nan")}, "minutes"),
        ({"patience": -1}, "patience"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"head_learning_rate": 1.0}, "head_learning_rate"),
        ({"warmup": 1.0}, "warmup"),
        ({"weight_decay": -0.1}, "weight_decay"),
        ({"label_smoothing": 0.5}, "label_smoothing"),
        ({"dropout": 1.0}, "dropout"),
        ({"ema": 1.0}, "ema"),
        ({"self_blend": 1.5}, "self_blend"),
        ({"self_blend": 0.6, "composite": 0.6}, "composite"),  # more than all fakes
        ({"composite": -0.1}, "composite"),
        ({"retouch": 1.5}, "retouch"),
        ({"self_blend": 0.4, "composite": 0.4, "retouch": 0.4}, "retouch together"),
        ({"localise": -1.0}, "localise"),
        ({"crop_scale": 0.0}, "crop_scale"),
        ({"frames_per_video": 0}, "frames_per_video"),
        ({"val_pictures": 0}, "val_pictures"),
        ({"seed": -1}, "seed"),
        ({"precision": "float16"}, "precision must be auto or"),
        ({"strategy": "tpu"}, "strategy must be none or mirrored"),
        ({"multi_class": "perhaps"}, "multi_class"),
        ({"export": ("h5", "pickle")}, "export must be h5"),
        ({"source_weights": ("faces",)}, "name=number"),
        ({"source_weights": ("faces=-1",)}, "above 0"),
        ({"class_weights": ("real=much",)}, "name=number"),
    ],
)
def test_impossible_values(values, sentence):
    with pytest.raises(TrainingError, match=sentence):
        TrainConfig(**values)


def test_every_setting_says_what_it_is():
    for setting in fields(TrainConfig):
        text = setting.metadata["help"]
        assert text
        assert not text.endswith(".")  # `--help` adds the default
        defaults = setting.default if isinstance(setting.default, tuple) else (setting.default,)
        assert not setting.metadata["choices"] or all(one in setting.metadata["choices"] for one in defaults)


def test_round_trip(tmp_path):
    config = TrainConfig(data=("a", "b"), epochs=3, export=("h5",), class_weights=("Real=2",))
    config.save(tmp_path / "config.json")
    assert TrainConfig.load(tmp_path / "config.json") == config
    assert config.loss_weights == {"real": 2.0}
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_a_run_from_before_there_were_phases(tmp_path):
    (tmp_path / "config.json").write_text('{"data": ["a"], "epochs": 5, "minutes": 255, "unknown": 1}')
    config = TrainConfig.load(tmp_path / "config.json")
    assert (config.head_epochs, config.epochs, config.minutes) == (0, 5, 255.0)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"epochs": "many"}', '{"data": "a"}', '{"epochs": true}', '{"epochs": 2.5}']
)
def test_a_damaged_file_is_named(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(TrainingError, match=r"config\.json"):
        TrainConfig.load(tmp_path / "config.json")
    with pytest.raises(TrainingError, match="nowhere"):
        TrainConfig.load(tmp_path / "nowhere/config.json")


def test_an_impossible_value_in_a_file_is_named(tmp_path):
    (tmp_path / "config.json").write_text('{"epochs": -3}')
    with pytest.raises(TrainingError, match=r"config\.json cannot be used: epochs"):
        TrainConfig.load(tmp_path / "config.json")


def test_presets_are_whole_settings():
    assert list(PRESETS) == ["quick", "standard", "thorough"]
    for name, preset in PRESETS.items():
        assert preset.name == preset.config().preset == name
        assert preset.title
        assert preset.description.endswith(".")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--preset", "quick"], {"blocks": 4, "epochs": 0, "preset": "quick"}),
        (["--preset", "quick", "--epochs", "2"], {"blocks": 4, "epochs": 2}),  # what is given wins
        (["--preset", "thorough", "--ema", "0"], {"input_size": 224, "ema": 0.0}),  # also when it is the default
        ([], {"preset": "", "epochs": 16}),
        (["--export", "h5", "--export", "onnx"], {"export": ("h5", "onnx")}),
        (["--class-weights", "real=2", "--multi-class", "no"], {"class_weights": ("real=2",), "multi_class": "no"}),
    ],
)
def test_flags_to_settings(tmp_path, arguments, expected):
    config = train.configuration(train.parse(["--data", str(tmp_path), *arguments]))
    assert {name: getattr(config, name) for name in expected} == expected
    assert config.data == (str(tmp_path),)


@pytest.mark.parametrize(
    "arguments",
    [
        [],  # no data
        ["--epochs", "many", "--data", "x"],
        ["--preset", "huge", "--data", "x"],
        ["--strategy", "tpu", "--data", "x"],
        ["--resume", "run", "--epochs", "3"],  # a run keeps its settings
        ["--resume", "run", "--finish", "run"],
        ["--preset", "quick"],  # no data
    ],
)
def test_wrong_usage_exits_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        train.main(arguments)
    assert stop.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--data", "nowhere", "--init", "none"], "There is no folder"),
        (["--data", "x", "--epochs", "-3"], "epochs must be"),
        (["--resume", "nowhere"], "not the configuration of a run"),
    ],
)
def test_unusable_arguments_are_a_sentence(tmp_path, monkeypatch, capsys, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEEPFAKE_RUNS", str(tmp_path / "runs"))
    assert train.main(arguments) == 2
    assert sentence in capsys.readouterr().err


def test_help_names_every_setting(capsys):
    with pytest.raises(SystemExit):
        train.main(["--help"])
    shown = capsys.readouterr().out
    assert all("--" + setting.name.replace("_", "-") in shown for setting in fields(TrainConfig))


def test_a_resumed_run_has_its_own_settings(tmp_path):
    TrainConfig(data=("a",), epochs=7).save(tmp_path / "config.json")
    assert json.loads((tmp_path / "config.json").read_text())["epochs"] == 7
    assert train.configuration(train.parse(["--resume", str(tmp_path)])).epochs == 7
