"""core.evaluation.explanations and made_fakes: known masks, a whole table, an honest choice, the files."""

import shutil

import numpy as np
import pytest

from core.data.dataset import Sample
from core.detector import load_detector
from core.errors import Cancelled, DataError
from core.evaluation import Request, made_fakes, run
from core.evaluation import explanations as table
from core.evaluation.explanations import choose, default_method, measure_explanations, planned
from core.evaluation.made_fakes import LARGEST_MASK, MadeFake, make_fakes
from core.evaluation.text import EXPLANATION_HEAD, as_text, explanation_rows
from core.evaluation_html import as_html
from core.explain.cam import METHODS
from core.explain.methods.saliency import SmoothGrad
from core.faces import default_finder
from core.samples import sample_image
from tests.detector import networks
from tests.evaluation.support import FINDER, labelled_folder
from tests.evaluation.support import detector as colour_detector


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny"
    networks.saved(folder)
    return load_detector(folder, engine="tensorflow")


def reals(tmp_path, count=3):
    found = []
    for number in range(count):
        path = tmp_path / f"{number}.png"
        shutil.copy(sample_image(), path)
        found.append(Sample(path, "real", "portrait", "test", path.stem))
    return found


def test_made_fakes_have_masks_where_they_differ(tmp_path, detector):
    told = []
    faces, made = make_fakes(reals(tmp_path, 8), detector, default_finder(), 3, on_progress=told.append)
    assert len(faces) == 3
    assert made >= 3
    assert told[-1] <= 3
    for one in faces:
        assert one.crop.shape == (32, 32, 3)
        assert one.mask.shape == (32, 32)
        assert 0 <= one.mask.min() <= one.mask.max() <= 1.001
        assert 0 < (one.mask >= 0.5 * one.mask.max()).mean() <= LARGEST_MASK
        assert 0 <= one.fake_probability <= 1
    again, _ = make_fakes(reals(tmp_path, 8), detector, default_finder(), 3)
    assert all((a.crop == b.crop).all() for a, b in zip(faces, again, strict=True))


@pytest.mark.parametrize("samples", ["none", "no picture"])
def test_no_real_faces_is_one_sentence(tmp_path, detector, samples):
    (tmp_path / "x.png").write_bytes(b"no picture")
    given = [] if samples == "none" else [Sample(tmp_path / "x.png", "real", "a", "test", "x")]
    with pytest.raises(DataError, match="no real picture with a face"):
        make_fakes(given, detector, default_finder(), 2)


@pytest.fixture(scope="module")
def measured(detector):
    """The whole table once, on two faces, and what was told meanwhile."""
    mask, told = np.zeros((32, 32), np.float32), []
    mask[4:14, 16:26] = 1
    faces = [MadeFake(crop, mask, 0.9) for crop in networks.crops(2)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "make_fakes", lambda *_, **__: (faces, 5))
        patch.setattr(SmoothGrad, "samples", 2)
        found = measure_explanations([], detector, None, 2, on_progress=lambda *now: told.append(now))
        with pytest.raises(Cancelled):
            measure_explanations([], detector, None, 2, should_cancel=lambda: True)
    return found, told


def test_the_whole_table(measured):
    found, told = measured
    assert list(found["methods"]) == list(METHODS)
    assert (found["faces"], found["tried"], found["called_fake"]) == (2, 5, 2)
    for name, row in found["methods"].items():
        assert row["faces"] == 2
        assert row["seconds"] > 0
        assert 0 <= row["pointing"] <= 1
        assert row["gain"] == pytest.approx(row["insertion"] - row["deletion"])
        assert len(row["deletion_curve"]) == len(row["insertion_curve"]) == 17
        # both curves have the untouched face at one end, and the blurred one at the other
        assert row["deletion_curve"][0] == pytest.approx(row["insertion_curve"][-1], abs=1e-4)
        assert set(row["agreement"]) == ({"all"} if name == "score_cam" else {"head", "half", "all"})
    assert set(found["baselines"]) == {"chance", "middle"}
    assert found["default"] in METHODS
    assert told[-1][0] == told[-1][1] == planned(2)  # honest progress: it ends where it said it would
    assert [now[0] for now in told] == sorted(now[0] for now in told)
    rows = explanation_rows(found)
    assert len(rows) == len(METHODS) + 2
    assert {len(row) for row in rows} == {len(EXPLANATION_HEAD)}


def row(gain, pointing, overlap, seconds=0.5, passes=True):
    return {"gain": gain, "pointing": pointing, "overlap": overlap, "seconds": seconds, "passes": passes}


@pytest.mark.parametrize(
    ("rows", "best"),
    [
        ({"grad_cam": row(0.3, 0.9, 0.5), "saliency": row(0.1, 0.5, 0.2)}, "grad_cam"),
        ({"grad_cam": row(0.3, 0.9, 0.5, passes=False), "saliency": row(0.1, 0.5, 0.2)}, "saliency"),  # edges only
        ({"score_cam": row(0.9, 0.9, 0.9, seconds=60), "saliency": row(0.1, 0.5, 0.2)}, "saliency"),  # too slow
        (
            {"grad_cam": row(0.3, 0.9, 0.5, 0.4), "layer_cam": row(0.3, 0.9, 0.5, 0.3)},
            "layer_cam",
        ),  # alike: the quicker
        ({"grad_cam": row(0.3, 0.9, 0.5, passes=False)}, "activation_map"),  # none fit
    ],
)
def test_choice(rows, best):
    assert choose(rows) == best


@pytest.mark.parametrize(
    ("documents", "name"),
    [
        ([], "activation_map"),
        ([{"explanations": None}, {"explanations": {"default": "layer_cam"}}], "layer_cam"),
        ([{"explanations": {"default": "of another edition"}}], "activation_map"),
        ([{}], "activation_map"),
    ],
)
def test_the_default_is_the_one_that_the_detectors_table_says(documents, name):
    assert default_method(documents) == name


def test_in_an_evaluation_its_text_and_its_html(measured, tmp_path, monkeypatch, fresh_home):
    def measure(samples, detector, finder, count, *, on_progress, should_cancel):
        on_progress(planned(count), planned(count), "Drawing maps")
        return measured[0]

    monkeypatch.setattr(run, "measure_explanations", measure)
    folder, told = labelled_folder(tmp_path / "data", 4), []
    request = Request((str(folder),), explanations=2)
    document = run.evaluate(request, colour_detector(), finder=FINDER, on_progress=lambda *now: told.append(now[:2]))
    assert told[-1] == (planned(2) + 8, planned(2) + 8)
    assert "Methods of explanation on 2 faces" in as_text(document)
    assert "Faster-Score-CAM" in as_text(document)
    page = as_html(document)
    assert "<h2>Explanations</h2>" in page
    assert page.count("Most important pixels blurred away") == 2  # a chart for light and one for dark


def test_blends_come_from_both_makers(tmp_path, detector):
    blends = list(made_fakes._blends(reals(tmp_path, 2), detector, default_finder(), seed=0))
    assert len(blends) == 3  # a self-blend of each, and from the second on a composite with the one before
    assert isinstance(blends[0].mask, np.ndarray)
    assert blends[-1].mask.max() > 0
