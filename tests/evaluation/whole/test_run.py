"""A whole evaluation, from folder to document."""

import json

import pytest

from core.analysis.verdict import verdict_of
from core.detector.spec import Thresholds
from core.errors import Cancelled, DataError, UserError
from core.evaluation import Request, evaluate, run, to_json
from core.evaluation.changes import KINDS
from core.evaluation.document import checked
from core.evaluation.text import as_text
from core.evaluation_html import as_html
from tests.evaluation.support import FINDER, clip, detector, labelled_folder
from tests.evaluation.whole.conftest import folders


def test_document_is_whole_and_valid_json(document):
    again = json.loads(to_json(document))
    assert again == document
    assert checked(again, "x") is again
    assert "NaN" not in to_json(document)
    lengths = {len(column) for column in document["items"].values()}
    assert lengths == {49}  # 48 pictures and a clip; the broken one is named elsewhere
    assert [one["path"].rpartition("/")[2] for one in document["unreadable"]] == ["broken.png"]
    assert document["figures"]["all"]["videos"] == 1
    assert document["data"]["split"] == "all"


def test_its_probabilities_are_those_that_the_verdicts_were_given_by(document):
    limits, items = Thresholds(**document["detector"]["thresholds"]), document["items"]
    columns = (items[name] for name in ("fake_probability", "verdict", "held", "video"))
    given = [(p, said) for p, said, held, video in zip(*columns, strict=True) if p is not None and not held | video]
    assert len(given) > 20
    assert all(verdict_of(p, limits) == said for p, said in given)
    assert any(p != round(p, 6) for p, _ in given)  # a limit lies a hair above some face's: rounded, it would not


def test_robustness_has_every_level_on_the_same_pictures(document):
    measured = document["robustness"]
    assert len(measured["levels"]) == sum(len(kind.levels) for kind in KINDS.values())
    assert (
        measured["untouched"]["all"]["real"] + measured["untouched"]["all"]["fake"] == 11
    )  # one of twelve is unreadable
    grey = next(one for one in measured["levels"] if one["kind"] == "saturation" and one["level"] == 0)
    assert grey["figures"]["all"]["uncertain"] == 1.0  # without colour this detector knows nothing


def test_the_other_detector_was_measured_on_the_same(document):
    figures = document["comparison"]["figures"]["all"]
    assert figures["items"] == 49
    assert figures["auc"] == document["figures"]["all"]["auc"]
    # the other one is the wrong way round
    assert figures["other_auc"] == pytest.approx(1 - figures["auc"], abs=0.05)
    # several pictures belong together: drawn by groups, and not taken for independent of each other
    assert figures["delong"] == {"difference_95": [None, None], "p": None}
    assert figures["bootstrap"]["p"] < 0.05


def test_progress_runs_to_its_end_and_never_back(document, told):
    fractions = [done / total for done, total, _ in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert {words.split(",")[0] for *_, words in told} >= {"Judging", "Judging with other", "JPEG", "H.264"}


def test_a_second_time_nothing_is_judged_anew(document, data):
    counted = detector()
    evaluate(Request(folders(data)), counted, finder=FINDER)
    assert counted.calls == 0


def test_it_stops_when_asked(home, data):
    with pytest.raises(Cancelled):
        evaluate(Request(folders(data)), detector("third"), finder=FINDER, should_cancel=lambda: True)


def test_nothing_readable_is_said(home, tmp_path):
    labelled_folder(tmp_path, 1)
    for path in tmp_path.rglob("*.png"):
        path.write_bytes(b"no picture")
    with pytest.raises(DataError, match="None of the files"):
        evaluate(Request((str(tmp_path),)), detector(), finder=FINDER)


def test_detectors_of_one_name_can_be_told_apart(home, tmp_path):
    folder = labelled_folder(tmp_path, 4)
    other = detector("second", gain=-0.3)
    other.name = "tiny"
    document = evaluate(Request((str(folder),)), detector(), other, finder=FINDER)
    said = f"tiny {other.sha256[:8]}"
    assert document["comparison"]["other"]["name"] == said
    assert f"tiny against {said}" in as_text(document)


def test_a_detector_is_not_compared_with_itself(home, data):
    same = detector()
    same.name = "copy of it"
    with pytest.raises(UserError, match="tiny would be compared with itself"):
        evaluate(Request(folders(data)), detector(), same, finder=FINDER)


@pytest.mark.parametrize("limit", [-5, 0, 1])
def test_a_limit_that_holds_no_pair_is_refused(home, data, limit):
    counted = detector("never asked")
    with pytest.raises(DataError, match=f"limit of robustness must be at least 2, .* and is {limit}"):
        evaluate(Request(folders(data), robustness_limit=limit), counted, finder=FINDER)
    assert counted.calls == 0


def test_videos_alone_give_a_sentence_for_what_takes_pictures(home, tmp_path):
    for at, (label, redness) in enumerate((("Real", -60), ("Fake", 60))):
        (tmp_path / label).mkdir()
        clip(tmp_path / label / f"{at}.mp4", redness)
    said = []
    request = Request((str(tmp_path),), baseline=True, robustness=True, gates=True, explanations=3)
    document = evaluate(request, detector(), finder=FINDER, on_progress=lambda *at: said.append(at))
    assert (document["baseline"], document["robustness"], document["gates"]) == ({}, None, None)
    assert document["explanations"] is None
    assert document["notes"] == [
        "Not measured: low-level statistics, robustness, face quality and explanations. That takes pictures, and there "
        "are videos only."
    ]
    assert said[-1][0] == said[-1][1]  # and the bar does not wait for them
    assert as_text(document)
    assert as_html(document)


def test_so_few_faces_have_no_interval_anywhere(home, tmp_path):
    labelled_folder(tmp_path, 2)
    request = Request((str(tmp_path),), baseline=True, robustness=True, gates=True)
    document = evaluate(request, detector(), detector("other", gain=-0.3), finder=FINDER)
    assert document["figures"]["all"]["auc"] is not None
    assert document["figures"]["all"]["auc_95"] == document["figures"]["all"]["ece_95"] == [None, None]
    assert document["baseline"] == {}
    assert any(note.startswith("No spectrum baseline") for note in document["notes"])
    assert document["calibration"]["all"]["ece_95"] == [None, None]
    assert set(document["curves"]["all"]["roc"]["low"]) == {None}
    again = json.loads(to_json(document))
    assert checked(again, "x") == document
    assert "None" not in as_text(again)
    assert as_html(again)


@pytest.mark.parametrize(
    ("named", "name"),
    [
        ("faces", "faces"),
        ("faces/manifest.csv", "faces"),  # "manifest.csv" says nothing
        ("faces/held-out.csv", "held-out"),
        ("faces/../faces", "faces"),
        ("faces/.", "faces"),
    ],
)
def test_data_are_called_by_their_folder(tmp_path, named, name):
    (tmp_path / "faces").mkdir()
    for file in ("manifest.csv", "held-out.csv"):
        (tmp_path / "faces" / file).touch()
    assert run.name_of(str(tmp_path / named)) == name
