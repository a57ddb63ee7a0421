"""core.analysis.formats: what is written can be read again, and a name cannot break a line."""

import csv
import io
import json
from dataclasses import replace

import pytest

from core.analysis.formats import CSV_COLUMNS, FORMATS, SpreadsheetCsv, printable
from core.analysis.types import (
    FaceScore,
    FrameReport,
    ImageReport,
    Quality,
    Report,
    Stretch,
    TrackReport,
    VideoReport,
)
from core.faces.types import Face

FACE = FaceScore(Face((1, 2, 3, 4), 0.9), 0.12345678, -2.0, {}, "real", Quality(100, 20, 120), ())
FAKE = FaceScore(Face((5, 2, 9, 4), 0.9, track_id=2), 0.93, 2.6, {}, "fake", Quality(100, 20, 120), ())
IMAGE = ImageReport(path="a.png", verdict="real", fake_probability=0.12345678, faces=(FACE,), model="m", seconds=0.1)
VIDEO = VideoReport(
    path='b, "c"\n.mp4',
    verdict="fake",
    fake_probability=0.93,
    frames=(FrameReport(0, 0.0, (FAKE,)),) * 7,
    tracks=(
        TrackReport(1, 0.0, 2.0, "real", 0.1, (), (), 7),
        TrackReport(2, 0.5, 2.0, "fake", 0.93, (Stretch(0.5, 1.5, 0.93),), ("R.",), 7),
    ),
    reasons=("Person 2: R.", "S."),
    warnings=("W.",),
)
ERROR = ImageReport(path="emoji 🎭\udcff\x1b[2J.jpg", verdict="error", error="It is empty.")
NO_FACE = ImageReport(path="d.png", verdict="no_face", reasons=("No face.",))
ALL = (IMAGE, VIDEO, ERROR, NO_FACE)


def written(form: str, reports=ALL) -> str:
    stream = io.StringIO()
    with FORMATS[form](stream) as writer:
        for report in reports:
            writer.write(report)
    return stream.getvalue()


def test_json_is_one_list_of_records():
    assert json.loads(written("json")) == [report.to_dict() for report in ALL]
    assert json.loads(written("json", ())) == []


def test_json_lines_are_flushed_one_by_one():
    class Counting(io.StringIO):
        flushed = 0

        def flush(self):
            self.flushed += 1

    stream = Counting()
    with FORMATS["jsonl"](stream) as writer:
        for count, report in enumerate(ALL, start=1):
            writer.write(report)
            assert stream.flushed == count
            assert len(stream.getvalue().splitlines()) == count
    assert [json.loads(line) for line in stream.getvalue().splitlines()] == [report.to_dict() for report in ALL]


def test_json_can_be_written_to_any_terminal():
    written("json").encode("ascii")


def test_csv_has_one_row_a_file():
    rows = list(csv.DictReader(io.StringIO(written("csv"))))
    assert len(rows) == len(ALL)
    assert list(rows[0]) == list(CSV_COLUMNS)
    image, video, error, no_face = rows
    assert (image["faces"], image["tracks"], image["fake_probability"]) == ("1", "", "0.1235")
    assert (video["path"], video["frames"], video["tracks"], video["stretches"]) == (VIDEO.path, "7", "2", "1")
    assert video["reasons"] == "Person 2: R. S."
    assert (error["verdict"], error["error"], error["fake_probability"]) == ("error", "It is empty.", "")
    assert (no_face["verdict"], no_face["fake_probability"]) == ("no_face", "")


@pytest.mark.parametrize("name", ['=HYPERLINK("http://x.test")', "+1.jpg", "-1.jpg", "@sum.jpg", "face.jpg"])
def test_a_spreadsheet_computes_no_file_name(name):
    out = io.StringIO()
    with SpreadsheetCsv(out) as writer:
        writer.write(replace(ALL[0], path=name))
    row = next(csv.DictReader(io.StringIO(out.getvalue())))
    assert row["path"] == (name if name == "face.jpg" else f"'{name}")
    assert row["fake_probability"] == "0.1235"


def test_table_reads_well():
    lines = written("table").splitlines()
    assert len(lines) == 2 + len(ALL) + 2  # no name has broken a line
    assert lines[0].split() == ["path", "verdict", "fake", "probability", "worst", "reasons"]
    assert "no manipulation found" in lines[2]
    assert "12 %" in lines[2]
    assert "face 1 of 1" in lines[2]
    assert " real" not in written("table")
    assert r"b, \"c\"\n.mp4".replace(r"\"", '"') in lines[3]
    assert "person 2, 0.5-2.0 s" in lines[3]
    assert r"emoji 🎭\udcff\x1b[2J.jpg" in lines[4]
    assert "It is empty." in lines[4]
    assert lines[-1].startswith("4 files: ")
    assert written("table", ()) == ""


def test_table_names_the_face_that_decides():
    small = FaceScore(Face((1, 2, 3, 4), 0.9), 0.99, 4.0, {}, "uncertain", Quality(10, 20, 120), ("Small.",))
    report = ImageReport(path="a", verdict="fake", fake_probability=0.93, faces=(small, FAKE))
    assert "face 2 of 2" in written("table", (report,))


def test_table_cuts_many_reasons():
    report = ImageReport(path="a", verdict="uncertain", fake_probability=0.5, reasons=tuple("ABCDE"))
    assert written("table", (report,)).splitlines()[2].endswith("A B C (and 2 more)")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain é 漢字", "plain é 漢字"),
        ("👩‍🚀", "👩‍🚀"),  # a composed emoji stays whole
        ("a\nb\tc", r"a\nb\tc"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("right\u202eto left", r"right\u202eto left"),
        ("\udcff", r"\udcff"),  # a byte that is not text
    ],
)
def test_printable(text, expected):
    assert printable(text) == expected


def test_a_bare_report_is_refused():
    with pytest.raises(TypeError, match="ImageReport or a VideoReport, got Report"):
        written("json", (Report(path="a", verdict="real"),))
