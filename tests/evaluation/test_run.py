"""A whole evaluation from folder to document, its text and its HTML."""

import json
import re

import pytest

from core.errors import Cancelled, DataError, UserError
from core.evaluation import Request, anonymous, evaluate, read_document, run, to_json
from core.evaluation.changes import KINDS
from core.evaluation.document import checked
from core.evaluation.results import finished, keep, remove, shipped, titles_of
from core.evaluation.text import as_text
from core.evaluation_html import as_html
from tests.evaluation.support import FINDER, clip, detector, labelled_folder

NASTY = "<img src=x onerror=alert(1)> & </script>"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEEPFAKE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = labelled_folder(tmp_path_factory.mktemp("data") / "faces", 12, sources=("one", "two"))
    clip(root / "one/Fake/clip.mp4", 100)
    (root / "one/Real/broken.png").write_bytes(b"no picture")
    (root / "two/Fake/Fake0.png").rename(root / f"two/Fake/{NASTY.replace('/', '')}.png")
    return root


def folders(data):
    return str(data / "one"), str(data / "two")


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def document(home, data, told):
    """Everything that can be asked for, once."""
    request = Request(folders(data), baseline=True, robustness=True, robustness_limit=6, gates=True)
    return evaluate(
        request, detector(), detector("other", gain=-0.3), finder=FINDER, on_progress=lambda *at: told.append(at)
    )


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
    assert figures["delong"]["p"] < 0.05


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


def test_text_has_every_part(document):
    text = as_text(document)
    for words in (
        "spectrum AUC",
        "calibration error",
        "tiny against other",
        "JPEG, quality 50",
        "min_face_px",
        "broken",
    ):
        assert words in text
    assert "nan" not in text
    assert "None" not in text


def test_text_of_one_class_alone(home, tmp_path):
    labelled_folder(tmp_path, 3)
    for path in (tmp_path / "Fake").iterdir():
        path.unlink()
    document = evaluate(Request((str(tmp_path),)), detector(), finder=FINDER)
    assert "–" in as_text(document)
    assert as_html(document)


def test_html_fetches_nothing_and_has_plotly_once(document):
    page = as_html(document)
    head = page[: page.index("<script>")]
    assert not re.search(r'(src|href)\s*=\s*["\']?(https?:)?//', head)
    assert "<link" not in head
    assert page.count("plotly.js v") == 1
    charts = json.loads(re.search(r'id="charts">(.*?)</script>', page, re.DOTALL)[1])
    assert len(charts) == 2 + 2 + 2 + len(KINDS) + 4
    for name, both in charts.items():
        assert f'id="{name}"' in head
        assert both["light"]["layout"] != both["dark"]["layout"]


def test_html_counts_every_verdict_and_says_what_is_lost(document):
    page = as_html(document)
    rows = {row[0]: row[1:] for row in cells(page)}
    items = document["items"]
    for label, fake in (("real", False), ("fake", True)):
        assert sum(map(int, rows[f"all, {label}"])) == items["fake"].count(fake)
    assert rows["all, fake"][2] == str(
        sum(v == "fake" and f for v, f in zip(items["verdict"], items["fake"], strict=True))
    )
    assert f"{len(items['fake'])} pictures and videos" in page
    assert f"{len(document['unreadable'])} files could not be read" in page
    level = next(one for one in document["robustness"]["levels"] if one["label"] == "JPEG, quality 50")
    assert rows["JPEG, quality 50"][-1] == str(level["figures"]["all"]["no_face"])
    assert "average precision" in page
    assert "calibration error</th>" in page


def cells(page):
    """Rows of all tables, as text."""
    rows = re.findall(r"<tr>(.*?)</tr>", page)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


def test_a_loss_of_nothing_has_no_minus(document):
    assert "(-0.000)" not in as_text(document)


def test_names_of_strangers_stay_text(document):
    renamed = json.loads(to_json(document).replace('"one"', json.dumps(NASTY)))
    page = as_html(renamed)
    body = page[: page.index("<script>")]
    assert "<img" not in body
    assert "&lt;img src=x onerror=alert(1)&gt; &amp;" in body
    data = re.search(r'id="charts">(.*?)</script>', page, re.DOTALL)[1]
    assert "<" not in data
    # Plotly would read tags in names of traces
    assert "<img" not in json.dumps(json.loads(data))


def test_anonymous_documents_name_no_file_and_no_folder(document, data):
    text = to_json(anonymous(document))
    assert str(data) not in text
    assert ".png" not in text
    assert "Fake0" not in text
    assert as_html(anonymous(document))
    assert as_text(anonymous(document))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not valid JSON"),
        ("[]", "no evaluation"),
        ('{"kind": "something"}', "no evaluation"),
        ('{"kind": "deepfake-evaluation", "schema_version": 99}', "schema version 99"),
        ('{"kind": "deepfake-evaluation", "schema_version": 1, "items": []}', "is damaged at created"),
        ('{"kind": "deepfake-evaluation", "schema_version": 1, "seconds": NaN}', "not valid JSON"),
    ],
)
def test_other_files_are_refused_with_a_sentence(tmp_path, text, words):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(DataError, match=words):
        read_document(path)


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_document(tmp_path / "x.json")


def test_kept_evaluations_are_listed_and_can_be_removed(document, home):
    path = keep(document)
    (found,) = [one for one in finished() if one.path == path]
    assert read_document(path) == document
    assert titles_of([(found, document)], lambda unix_s: "today") == ["tiny against other on one, two, all (today)"]
    remove(found)
    assert not path.exists()


def test_what_ships_is_found_and_not_removed(document, tmp_path):
    from core.detector import list_detectors
    from tests.pages.support import write_detector

    write_detector(tmp_path / "tiny")
    (tmp_path / "tiny/evaluation.json").write_text(to_json(anonymous(document)))
    (found,) = shipped(list_detectors(tmp_path))
    assert found.detector == "tiny"
    remove(found)
    assert found.path.exists()
