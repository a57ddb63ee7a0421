"""What an evaluation is told in and kept as: text, HTML, JSON."""

import json
import re

import pytest

from core.errors import DataError
from core.evaluation import Request, anonymous, evaluate, read_document, to_json
from core.evaluation.changes import KINDS
from core.evaluation.gates import GATES
from core.evaluation.results import finished, keep, remove, shipped, titles_of
from core.evaluation.text import as_text
from core.evaluation_html import as_html
from tests.evaluation.support import FINDER, detector, labelled_folder
from tests.evaluation.whole.conftest import NASTY


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
    assert len(charts) == 2 + 2 + 2 + len(KINDS) + len(GATES)
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
    assert f"not counted: {len(document['unreadable'])} of the files" in page
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
