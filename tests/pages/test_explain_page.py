"""The explain page: from a file, a sample or the history to one face, its maps, and what would change the verdict."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.detector import load_detector
from core.explain import network
from core.explain.methods import score_cam
from core.explain.methods.saliency import SmoothGrad
from core.faces import Face
from pages.components import explain_face, opened, resources
from tests.explain.face import mesh
from tests.pages.support import BLACK, BLUE, RED, find_by_light, noisy, png, run_until, words


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Made when a page first asks for it; most tests do without, and without TensorFlow."""
    from tests.detector import networks

    folder = tmp_path_factory.mktemp("explained") / "tiny"
    networks.saved(folder)
    return network.explained_network(load_detector(folder, engine="tensorflow"))


@pytest.fixture
def explain(app: AppTest, request, monkeypatch) -> AppTest:
    """The page; heatmaps come from a tiny network, parts of the face from a mesh that stands upright."""
    monkeypatch.setattr(network, "explained_network", lambda _: request.getfixturevalue("tiny"))
    monkeypatch.setattr(explain_face, "mesh_points", lambda crop: mesh(crop.shape[0]))
    return app.switch_page("pages/explain.py").run()


def upload(app: AppTest, content: bytes, name: str = "face.png") -> AppTest:
    app.file_uploader[0].upload(name, content)
    return app.run()


def pick(app: AppTest, key: str, value: object) -> AppTest:
    element = next(one for one in [*app.get("button_group"), *app.multiselect] if one.key.startswith(key))
    return element.set_value(value).run()


def test_a_sample_is_one_click_away(explain: AppTest, monkeypatch) -> None:
    monkeypatch.setattr(opened, "truth_about", lambda path: f"The truth about {path.stem}.")
    explain.button(key="explain_sample_manipulated").click().run()
    assert not explain.exception
    assert "Likely fake" in words(explain)
    assert "in logits" in words(explain).lower()
    assert "The truth about manipulated. Compare that with the verdict" in words(explain)


def test_it_opens_with_the_map_of_every_verdict_and_the_most_faithful_one(explain: AppTest, tiny, monkeypatch) -> None:
    monkeypatch.setattr("core.evaluation.explanations.default_method", lambda documents: "saliency")
    upload(explain, png(RED))
    assert not explain.exception
    assert "**Activation map**" in words(explain) and "**Saliency**" in words(explain)


def test_a_face_is_explained_in_words_and_maps(explain: AppTest) -> None:
    upload(explain, png(RED))
    assert not explain.exception
    said = words(explain)
    assert "Fake probability of this face" in [one.label for one in explain.metric]
    assert "**Speaks for a fake:**" in said
    assert "**Activation map** · why fake" in said
    assert "From −8 (against fake) to +8 logits (for fake)." in said  # the bar says what a colour means


def test_methods_directions_and_layers_stand_side_by_side(explain: AppTest, tiny) -> None:
    upload(explain, png(RED))
    pick(explain, "explain_methods", ["grad_cam", "saliency"])
    pick(explain, "explain_targets", ["fake", "real"])
    pick(explain, "explain_layers", ["block14_sepconv2_act", "block2_sepconv1"])
    assert not explain.exception
    said = words(explain)
    assert said.count("**Grad-CAM**") == 4  # two directions from two layers
    assert said.count("**Saliency** · no direction") == 1  # it has neither
    assert "strengths of two maps do not compare" in said


def test_a_slow_method_runs_as_a_job_and_is_drawn(explain: AppTest, tiny, monkeypatch) -> None:
    monkeypatch.setattr(score_cam, "CHUNK", 4)
    upload(explain, png(RED))
    pick(explain, "explain_methods", ["score_cam"])
    run_until(explain, lambda app: "own maximum" in words(app))
    assert not explain.exception
    assert all(job.state == "done" for job in resources.queue().jobs())


def test_a_slow_method_can_be_cancelled_and_drawn_after_all(explain: AppTest, tiny, monkeypatch) -> None:
    monkeypatch.setattr(SmoothGrad, "samples", 2)
    upload(explain, png(RED))
    blocker = resources.queue().submit("blocker", lambda context: context._job.cancel_requested.wait(20))
    pick(explain, "explain_methods", ["smooth_grad"])
    next(one for one in explain.button if one.label == "Cancel").click().run()
    run_until(explain, lambda app: "Stopped." in words(app))
    blocker.cancel()
    next(one for one in explain.button if one.label == "Draw it").click().run()
    run_until(explain, lambda app: "own maximum" in words(app))
    assert not explain.exception


def test_what_if_moves_the_probability(explain: AppTest) -> None:
    upload(explain, png(RED))

    def changed() -> str:
        return explain.metric[-1].value, explain.metric[-1].delta

    assert explain.metric[-1].label == "Fake probability"
    assert changed() == ("> 99 %", "no change")
    for key, value in (("what_if_size", 20), ("what_if_blur", 5), ("what_if_quality", 10)):
        explain.slider(key=key).set_value(value).run()
        assert not explain.exception
    pick(explain, "what_if_erased", ["mouth", "nose"])
    assert not explain.exception
    explain.button(key="what_if_reset").click().run()
    assert not explain.exception
    assert explain.slider(key="what_if_quality").value == 100


def test_erasing_and_compressing_reach_the_network() -> None:
    """By the function itself: the page's detector knows colours only, which nothing of this changes much."""
    from pages.components.explain_what_if import changed_crop
    from tests.evaluation.support import detector as colour_detector

    chosen = a_face()
    judge = colour_detector()
    settings = {"size_percent": 100, "blur_px": 0, "quality": 100, "erased": None}
    same, _ = changed_crop(chosen, judge, **settings)
    assert (same == chosen.crop).all()
    mask = np.zeros((32, 32), bool)
    mask[:16] = True
    for changes in ({"size_percent": 30}, {"blur_px": 4}, {"quality": 10}, {"erased": mask}):
        crop, score = changed_crop(chosen, judge, **{**settings, **changes})
        assert crop.shape == chosen.crop.shape
        assert crop.astype(float).std() < same.astype(float).std()
        assert 0 <= score.fake_probability <= 1
    erased, _ = changed_crop(chosen, judge, **{**settings, "erased": mask})
    assert (erased[20:] == same[20:]).all()


def a_face():
    from core.analysis.image import analyze_rgb
    from core.faces import crop_face
    from tests.evaluation.support import FINDER, detector

    rgb = noisy(RED)
    report = analyze_rgb(rgb, detector(), FINDER)
    crop = crop_face(rgb, report.faces[0].face, scale=0.88, size=32)
    return explain_face.ChosenFace(None, report, rgb, report.faces[0], crop, "key", "A face")


def test_a_face_that_has_no_parts(explain: AppTest, monkeypatch) -> None:
    monkeypatch.setattr(explain_face, "mesh_points", lambda crop: None)
    upload(explain, png(RED))
    assert not explain.exception
    assert "Parts of this face cannot be named" in words(explain)
    assert "none can be erased" in words(explain)


@pytest.mark.parametrize(
    ("moved", "expected"),
    [
        (0.0, ("no change", "off")),
        (-0.49, ("no change", "off")),
        (-0.6, ("−1 point", "down")),  # a fall with a minus sign of its own still points down
        (1.4, ("+1 point", "up")),
        (-12.3, ("−12 points", "down")),
    ],
)
def test_points(moved: float, expected: tuple[str, str]) -> None:
    from pages.components.explain_what_if import arrow, points

    assert (points(moved), arrow(moved)) == expected


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (png(BLACK), "No face was found in this picture"),
        (b"a text", "face.png"),
    ],
)
def test_bad_input_is_one_sentence(explain: AppTest, content: bytes, sentence: str) -> None:
    upload(explain, content)
    assert not explain.exception
    assert sentence in words(explain)
    assert not explain.metric


def test_several_faces_are_picked_by_number(explain: AppTest, monkeypatch) -> None:
    def two(rgb, **options):
        (face,) = find_by_light(rgb)
        x0, y0, x1, y1 = face.box_xyxy
        # without landmarks, for with them the picture would pass for a tight crop of one face
        return [Face(face.box_xyxy, 0.9), Face((x0 - 30, y0 - 30, x1 - 30, y1 - 30), 0.8)]

    monkeypatch.setattr(resources, "finder", lambda: type("Finder", (), {"find": staticmethod(two)}))
    upload(explain, png(BLUE))
    assert not explain.exception
    pick(explain, "explain_face", 1)
    assert "Face 2 of face" in words(explain)


def test_a_frame_of_the_history(explain: AppTest, clip, detector) -> None:
    from core.analysis import analyze_video

    store = resources.store()
    item = store.add(clip)
    store.save_report(item.digest, "key", analyze_video(clip, detector, resources.finder()))
    assert not explain.exception
    pick(explain, "explain_source", "History")
    assert not explain.exception
    assert "Person 1 of clip" in words(explain)
    assert explain.select_slider
    assert "**Activation map**" in words(explain)


def test_from_the_image_page_to_the_same_picture(explain: AppTest) -> None:
    pick(explain, "explain_source", "History")  # what was chosen there last does not stand in the way
    app = explain.switch_page("pages/image.py").run()
    upload(app, png(RED))
    next(one for one in app.button if one.label == "Explain").click().run()
    assert not app.exception
    assert "Face 1 of face" in words(app)


def test_an_empty_history_says_what_to_do(explain: AppTest) -> None:
    pick(explain, "explain_source", "History")
    assert "Nothing with a face has been analysed yet" in words(explain)
