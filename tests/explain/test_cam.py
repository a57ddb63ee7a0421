"""core.explain.cam: each method is what tf-keras-vis gives, on every kind of input, for every target and layer."""

import numpy as np
import pytest
from scipy.special import softmax

from core.detector import load_detector
from core.detector.head import interpret
from core.errors import Cancelled
from core.explain.cam import METHODS, find_method
from core.explain.network import explained_network
from core.faces import Face, crop_face
from core.faces.crop import crop_pixels
from tests.detector import networks

KINDS = ("real", "swap", "gan")
LAYER = "block2_sepconv1"
CROPS = networks.crops(3, seed=5)


@pytest.fixture(scope="module")
def detectors(tmp_path_factory):
    """Tiny detectors on TensorFlow: one sigmoid, one sigmoid the other way round, three classes."""
    root = tmp_path_factory.mktemp("explained")
    for name, classes in (("sigmoid", ("real", "fake")), ("turned", ("fake", "real")), ("kinds", KINDS)):
        networks.saved(root / name, networks.flat(classes), classes=classes)
    return {name: load_detector(root / name, engine="tensorflow") for name in ("sigmoid", "turned", "kinds")}


@pytest.fixture(scope="module")
def explained(detectors):
    return {name: explained_network(detector) for name, detector in detectors.items()}


@pytest.mark.parametrize("name", ["sigmoid", "turned", "kinds"])
def test_network_answers_as_the_engine_does(detectors, explained, name):
    """In log-odds, whichever head: else every map would explain another answer."""
    network = explained[name]
    outputs = network.outputs(network.pixels(CROPS))
    found = np.asarray(network.score("fake")(outputs))
    assert found == pytest.approx(detectors[name].predict(CROPS).logits, abs=1e-4)
    assert np.asarray(network.score("real")(outputs)) == pytest.approx(-found, abs=1e-5)


@pytest.mark.parametrize("name", ["sigmoid", "turned", "kinds"])
@pytest.mark.parametrize("method", ["activation_map", "grad_cam"])
def test_engines_map_is_the_networks_and_grad_cam_on_the_last_convolution(detectors, explained, name, method):
    from_engine = detectors[name].predict(CROPS).activation_maps
    drawn = METHODS[method](explained[name], CROPS)
    assert drawn == pytest.approx(from_engine, abs=1e-3)  # the values, and so the unit, not the pattern alone
    assert METHODS[method](explained[name], CROPS, "real") == pytest.approx(-from_engine, abs=1e-3)


def test_a_class_of_several_has_its_own_map(explained):
    network = explained["kinds"]
    assert network.targets == ("fake", "real", "swap", "gan")
    assert explained["sigmoid"].targets == ("fake", "real")
    maps = {target: METHODS["activation_map"](network, CROPS, target) for target in network.targets}
    outputs = network.outputs(network.pixels(CROPS)).astype(np.float64)
    kernel = np.asarray(network.model.get_layer("evidence").kernel)
    wide = np.einsum("nhwc,ck->nhwk", np.asarray(network.features_of(network.pixels(CROPS))), kernel)
    assert maps["fake"] == pytest.approx(interpret(outputs.astype(np.float32), wide, KINDS).activation_maps, abs=1e-3)
    # the gradient of z1 - log(exp z0 + exp z2), written out
    real, gan = softmax(outputs[:, [0, 2]], axis=1).T
    by_hand = wide[..., 1] - real[:, None, None] * wide[..., 0] - gan[:, None, None] * wide[..., 2]
    assert maps["swap"] == pytest.approx(by_hand, abs=1e-3)


def by_tf_keras_vis(name, network, pixels, target, layer):
    """The method in one call of the library's own, as its documentation has it."""
    from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus
    from tf_keras_vis.layercam import Layercam
    from tf_keras_vis.saliency import Saliency
    from tf_keras_vis.scorecam import Scorecam

    options = {"expand_cam": False, "penultimate_layer": layer, "seek_penultimate_conv_layer": False}
    score = network.score(target)
    if name == "saliency":
        return Saliency(network.model)(score, pixels)
    if name in ("score_cam", "faster_score_cam"):
        few = {} if name == "score_cam" else {"max_N": 6}
        return Scorecam(network.model)(network.share(target), pixels, **options, **few)
    return {"grad_cam_plus_plus": GradcamPlusPlus, "layer_cam": Layercam}[name](network.model)(score, pixels, **options)


@pytest.mark.filterwarnings("ignore:The structure of")
@pytest.mark.parametrize("target", ["fake", "swap"])
@pytest.mark.parametrize("name", ["grad_cam_plus_plus", "layer_cam", "saliency", "score_cam", "faster_score_cam"])
def test_methods_are_the_librarys(explained, monkeypatch, name, target):
    monkeypatch.setattr("core.explain.methods.score_cam.CHUNK", 4)  # windows of 4 of 8 channels add up to all of them
    monkeypatch.setattr("core.explain.methods.score_cam.FASTER_CHANNELS", 6)
    network, one = explained["kinds"], CROPS[:1]
    wanted = np.asarray(by_tf_keras_vis(name, network, network.pixels(one), target, LAYER))
    found = METHODS[name](network, one, target, LAYER)
    assert found.shape == wanted.shape
    low, high = found.min(), found.max()
    # Score-CAM's masked copies are rounded to grey levels, for the detector's own engine
    assert (found - low) / (high - low) == pytest.approx(wanted, abs=5e-3 if "score" in name else 1e-3)


@pytest.mark.parametrize("name", list(METHODS))
def test_every_method_on_every_kind_of_input(explained, name):
    """One face, many at once, grey, flat and black crops, and none: finite, of one shape, each face by itself."""
    method, network = METHODS[name], explained["sigmoid"]
    grey = np.repeat(CROPS[:1].mean(axis=3, keepdims=True).astype(np.uint8), 3, axis=3)
    tiny = crop_face(CROPS[0], Face((3.0, 3.0, 6.0, 7.0), 0.9), scale=0.9, size=networks.SIZE)[None]
    many = np.concatenate([CROPS, grey, tiny, np.zeros_like(grey)])
    together = method(network, many, batch_size=4)
    assert together.shape == (6, *together.shape[1:])
    assert together.dtype == np.float32
    assert np.isfinite(together).all()
    alone = method(network, many[1:2])
    assert alone == pytest.approx(together[1:2], rel=1e-3, abs=1e-4)
    assert len(method(network, many[:0])) == 0
    if not method.signed:
        assert together.min() >= 0
    if method.unit == "relative":
        assert together[:3].max(axis=(1, 2)) == pytest.approx(1)


@pytest.mark.parametrize("name", ["score_cam", "smooth_grad"])
def test_slow_methods_tell_how_far_they_are_and_stop(explained, monkeypatch, name):
    monkeypatch.setattr("core.explain.methods.score_cam.CHUNK", 4)
    method, told = METHODS[name], []
    method(explained["sigmoid"], CROPS[:2], on_progress=lambda *now: told.append(now))
    total = {"score_cam": 2 * 12 // 4, "smooth_grad": 12}[name]
    assert told == [(done, total) for done in range(1, total + 1)]
    asked = []
    with pytest.raises(Cancelled):
        method(explained["sigmoid"], CROPS[:2], should_cancel=lambda: asked.append(1) or len(asked) == 2)
    assert len(asked) == 2


def test_a_planted_patch_is_found_in_the_crop_and_drawn_on_it_in_the_frame(explained):
    """From the picture through crop, network, map and overlay back to the picture: the ends meet."""
    from core.explain import draw_overlay

    network, box, side = explained["sigmoid"], (60.0, 40.0, 124.0, 104.0), 160
    frame = np.full((side, side, 3), 90, np.uint8)
    plain = crop_face(frame, Face(box, 0.9), scale=1.0, size=networks.SIZE)
    frame[80:96, 66:82] = np.random.default_rng(1).integers(0, 256, (16, 16, 3))
    crop = crop_face(frame, Face(box, 0.9), scale=1.0, size=networks.SIZE)
    difference = np.abs(
        METHODS["activation_map"](network, crop[None])[0] - METHODS["activation_map"](network, plain[None])[0]
    )
    drawn = draw_overlay(np.zeros_like(frame), 50 * difference, pixels=crop_pixels(Face(box, 1.0), 1.0), opacity=1.0)
    weights = drawn[..., 0].astype(float) ** 2
    rows, columns = np.indices(weights.shape)
    centre = (weights * columns).sum() / weights.sum(), (weights * rows).sum() / weights.sum()
    assert centre == pytest.approx((74, 88), abs=9)  # a cell of the map is 16 px wide in the frame


@pytest.mark.parametrize(
    ("crops", "target", "layer", "words"),
    [
        (CROPS.astype(np.float32), "fake", None, "crops must be uint8"),
        (CROPS[:, :16], "fake", None, r"shape \(n, 32, 32, 3\)"),
        (CROPS, "swap", None, "target must be one of fake, real"),
        (CROPS, "fake", "no_such", "layer must be one with rows and columns, such as block14_sepconv2_act"),
        (CROPS, "fake", "evidence", "layer must be one with rows"),  # it has no places
    ],
)
def test_wrong_use(explained, crops, target, layer, words):
    with pytest.raises(ValueError, match=words):
        METHODS["grad_cam"](explained["sigmoid"], crops, target, layer)


def test_unknown_method():
    with pytest.raises(ValueError, match="method must be one of activation_map"):
        find_method("lime")
