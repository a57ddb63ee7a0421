"""The detector that ships: whole, as large as allowed, described by its own figures, the same on both engines."""

from pathlib import Path

import numpy as np
import pytest

from core.analysis import analyze_video
from core.detector import load_detector, load_spec
from core.detector.engine import PROBABILITY_TOLERANCE
from core.evaluation import read_document
from core.faces import crop_face, default_finder
from core.media import load_image
from core.samples import sample_images, sample_video
from core.training.model_card import model_card

FOLDER = Path(__file__).parents[1] / "model/default"
pytestmark = pytest.mark.shipped


def test_its_folder_is_whole_and_small():
    needed = {"model.keras", "model.json", "MODEL_CARD.md", "LICENSE", "evaluation.json", "evaluation-val.json"}
    assert {path.name for path in FOLDER.iterdir()} == needed
    assert (FOLDER / "model.keras").stat().st_size <= 50_000_000
    assert "non-commercial" in load_spec(FOLDER).licence


def test_its_card_is_made_from_its_figures():
    assert (FOLDER / "MODEL_CARD.md").read_text(encoding="utf-8") == model_card(load_spec(FOLDER))


def test_its_figures_reach_what_was_asked_of_the_first_edition():
    test = load_spec(FOLDER).metrics["test"]
    assert test["dfdc"]["auc"] >= 0.88
    assert test["stylegan_ffhq"]["auc"] >= 0.90


@pytest.mark.parametrize("name", ["model.json", "evaluation.json", "evaluation-val.json"])
def test_nothing_of_the_trainer_s_machine_is_in_it(name):
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert "/work" not in text
    assert ".jpg" not in text


@pytest.mark.parametrize("name", ["evaluation.json", "evaluation-val.json"])
def test_its_evaluation_is_of_these_weights_and_says_what_its_card_says(name):
    document, spec = read_document(FOLDER / name), load_spec(FOLDER)
    assert document["detector"]["sha256"] == spec.weights_sha256
    assert document["detector"]["thresholds"] == spec.to_dict()["thresholds"]
    assert document["detector"]["video_thresholds"] == spec.to_dict()["video_thresholds"]
    assert document["detector"]["calibration"] == spec.to_dict()["calibration"]
    assert document["detector"]["video_calibration"] == spec.to_dict()["video_calibration"]
    told, measured = spec.metrics[document["data"]["split"]], document["figures"]
    assert set(told) == set(measured)
    for part, figures in told.items():
        assert set(figures) == set(measured[part])
        for key, value in figures.items():
            assert measured[part][key] == pytest.approx(value, abs=1e-3), (part, key)


def test_the_manipulated_seconds_of_the_sample_are_found():
    sample = sample_video()
    report = analyze_video(sample.path, load_detector("default"))
    assert report.verdict == "fake"
    (stretch,) = report.tracks[0].stretches
    both = min(stretch.end_s, sample.fake_end_s) - max(stretch.start_s, sample.fake_start_s)
    either = max(stretch.end_s, sample.fake_end_s) - min(stretch.start_s, sample.fake_start_s)
    assert both / either > 0.8


def test_engines_agree_on_real_crops():
    crops, size = [], load_spec(FOLDER).input_size
    for path in sample_images().values():
        rgb = load_image(path).rgb
        (face,) = default_finder().find(rgb)
        crops += [crop_face(rgb, face, scale=scale, size=size) for scale in (0.7, 0.88, 1.1)]
    answers = {}
    for engine, precision in (("openvino", None), ("openvino", "f32"), ("tensorflow", None)):
        detector = load_detector("default", engine=engine, precision=precision)
        prediction = detector.predict(np.stack(crops))
        answers[engine, detector.precision] = detector.probability(prediction.logits)
        # the map is the evidence itself: what its mean lacks of the logit is the head's bias, and how evenly P(fake) is
        # shared among the kinds of fakes, which is no more than the logarithm of their number
        biases = prediction.logits - prediction.activation_maps.mean(axis=(1, 2))
        assert np.ptp(biases) < np.log(len(detector.spec.classes) - 1) + 0.05
    exact = answers.pop(("tensorflow", "f32"))
    for (_, precision), answer in answers.items():
        assert np.abs(answer - exact).max() <= PROBABILITY_TOLERANCE[precision]
