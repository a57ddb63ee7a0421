"""What is damaged is found, wherever it lies, and what only lacks a part that was not asked for is not."""

import copy

import pytest

from core.evaluation import Request, evaluate
from core.evaluation.shape import fault_in
from tests.evaluation.support import FINDER, detector, labelled_folder

EDGES, BLIND = [None, None], {"deletion": None, "insertion": None, "gain": None, "gain_error": None, "pointing": None}
METHOD = {**BLIND, "faces": 0, "overlap": None, "deletion_curve": [1, 0], "insertion_curve": [0, 1]}


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    root = labelled_folder(tmp_path_factory.mktemp("data"), 10, sources=("one", "two"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEEPFAKE_HOME", str(tmp_path_factory.mktemp("home")))
        request = Request((str(root / "one"), str(root / "two")), robustness=True, robustness_limit=4, gates=True)
        found = evaluate(request, detector(), detector("other", gain=-0.2), finder=FINDER)
    words = dict.fromkeys(("layer", "default", "rule"), "x")
    methods = {"cam": {"title": "CAM", "seconds": 1.0, "agreement": {}, **METHOD}}
    maps = {"methods": methods, "baselines": {"chance": METHOD, "middle": METHOD}}
    return {**found, "explanations": {"faces": 1, "tried": 1, "called_fake": 1, **words, **maps}}


def changed(document, at, value):
    """With another value at a place; `...` takes it out."""
    found = copy.deepcopy(document)
    *way, last = at.split(".")
    part = found
    for name in way:
        part = part[int(name) if isinstance(part, list) else name]
    if value is ...:
        del part[last]
    else:
        part[int(last) if isinstance(part, list) else last] = value
    return found


def test_a_whole_one_is_without_fault(document):
    assert fault_in(document) is None


@pytest.mark.parametrize(
    "part", ["robustness", "comparison", "gates", "explanations", "columns", "notes", "unreadable"]
)
def test_what_was_not_asked_for_may_be_null_or_missing(document, part):
    assert fault_in({**document, part: None}) is None
    assert fault_in({key: value for key, value in document.items() if key != part}) is None


@pytest.mark.parametrize("at", ["figures.all.auc_95", "figures.one.auc_95", "gates.min_face_px.bins.0.auc_95"])
@pytest.mark.parametrize("value", [None, EDGES])
def test_an_interval_may_be_unknown(document, at, value):
    assert fault_in(changed(document, at, value)) is None


@pytest.mark.parametrize(
    ("at", "value"),
    [
        ("created", None),
        ("created", "yesterday"),
        ("created", ["2026-11-26T00:00"]),  # has a length and can be cut, as a text can
        ("created", "0001-01-01T00:00:00Z"),  # no clock of another zone can show it
        ("seconds", True),  # an int to Python
        ("detector.sha256", 7),
        ("detector.thresholds", {"real_below": 0.9, "fake_above": 0.1}),
        ("detector.thresholds", {"other": 0.9}),
        ("detector.video_thresholds", {"real_below": 0.9, "fake_above": 0.1}),
        ("data.name", ...),
        ("figures.all", ...),
        ("figures.all.videos", ...),
        ("figures.one.auc", "0.9"),
        ("figures.one.auc_95", [0.9]),
        ("curves.all.roc.x", ...),
        ("calibration.all.bins", None),
        ("items.held", ...),
        ("items.verdict.0", "maybe"),
        ("items.verdict.0", []),  # no key of a set
        ("items", {"path": []}),
        ("robustness.untouched.all", ...),
        ("robustness.levels.0.figures.all", ...),
        ("comparison.other.name", ...),
        ("comparison.figures.all.delong", ...),
        ("gates.min_face_px.bins", {}),
        ("explanations.methods.cam.agreement", None),
    ],
)
def test_where_it_is_damaged_is_said(document, at, value):
    fault = fault_in(changed(document, at, value))
    assert fault is not None
    assert fault.startswith(at)


def test_columns_of_unequal_length_are_a_fault(document):
    short = {**document["items"], "held": document["items"]["held"][:-1]}
    assert fault_in({**document, "items": short}) == "items"


def test_a_curve_of_a_single_point_is_none(document):
    assert fault_in(changed(document, "explanations.methods.cam.deletion_curve", [1])) == "explanations.methods"
