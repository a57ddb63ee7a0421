"""core.evaluation_charts: what a figure says, read back from its traces and annotations."""

import numpy as np
import pytest

from core import evaluation_charts as charts
from core.detector.spec import Thresholds
from core.evaluation.figures import calibration_of, curves_of
from tests.evaluation.support import judged

SCORED = judged(80, sources=("a", "b"))
CURVES = {"All sources": curves_of(SCORED), "<b>a</b>": curves_of(SCORED[:80]), "one class": None}


@pytest.mark.parametrize("draw", [charts.roc, charts.precision_recall])
def test_one_line_and_one_band_a_source(draw):
    figure = draw(CURVES)
    named = [trace.name for trace in figure.data if trace.name]
    assert named == ["All sources", "&lt;b&gt;a&lt;/b&gt;", "Chance"]  # what has no curve is left out
    lines = [trace for trace in figure.data if trace.name in named[:2]]
    assert lines[0].line.dash != lines[1].line.dash  # told apart without colour
    bands = [trace for trace in figure.data if trace.fill == "toself"]
    assert len(bands) == 2
    assert all(trace.mode == "lines" and trace.hoverinfo == "skip" for trace in bands)


def test_where_a_band_is_not_known_the_curve_stands_alone():
    curve = {"x": [0, 0.5, 1], "y": [0, 0.8, 1], "low": [None] * 3, "high": [None] * 3}
    assert [trace.name for trace in charts.roc({"a": {"roc": curve}}).data] == ["a", "Chance"]


@pytest.mark.parametrize(("curves", "bands"), [(5, 5), (6, 1)])
def test_up_to_five_curves_have_bands_and_of_more_only_the_first(curves, bands):
    figure = charts.roc({f"{number}": CURVES["All sources"] for number in range(curves)})
    shaded = [trace.fill == "toself" for trace in figure.data]
    assert sum(shaded) == bands
    assert all(shaded[:bands])  # none is painted over a line
    fills = {trace.fillcolor for trace in figure.data[:bands]}
    assert len(fills) == bands


def test_calibration_bars_reach_from_low_to_high():
    bins = calibration_of(SCORED)["bins"]
    trace = charts.calibration(bins).data[-1]
    np.testing.assert_allclose(np.array(trace.y) + trace.error_y.array, [one["observed_95"][1] for one in bins])
    np.testing.assert_allclose(np.array(trace.y) - trace.error_y.arrayminus, [one["observed_95"][0] for one in bins])


def test_histogram_puts_fakes_up_and_reals_down_each_as_shares():
    figure = charts.histogram([0.05, 0.06, 0.9, 0.95, 1.0], [False, False, True, True, True], Thresholds(0.3, 0.7))
    fakes, reals = figure.data
    assert sum(fakes.y) == pytest.approx(1)
    assert sum(reals.y) == pytest.approx(-1)
    assert {shape.x0 for shape in figure.layout.shapes} == {0.3, 0.7}


@pytest.mark.parametrize(
    ("limits", "anchors", "lifted"),
    [
        ((0.3, 0.6), ["right", "left"], False),  # both on the outer side
        ((0.17, 0.94), ["right", "right"], False),  # those that shipped: at the right the words were cut off
        ((0.1, 0.2), ["left", "left"], True),
        ((0.9, 0.95), ["right", "right"], True),  # would stand over one another
    ],
)
def test_words_at_the_thresholds_stay_in_the_chart_and_apart(limits, anchors, lifted):
    words = charts.histogram([0.5], [True], Thresholds(*limits)).layout.annotations
    assert [one.xanchor for one in words] == anchors
    assert (words[1].yshift > words[0].yshift) == lifted


def test_histogram_of_one_class_does_not_divide_by_nothing():
    assert sum(charts.histogram([0.9], [True], Thresholds()).data[1].y) == 0


def test_confusion_matrix_says_counts_and_shares():
    figure = charts.confusion_matrix((8, 1, 1), (0, 0, 0))
    assert [annotation.text for annotation in figure.layout.annotations[:3]] == [
        "<b>80.0 %</b><br>8",
        "<b>10.0 %</b><br>1",
        "<b>10.0 %</b><br>1",
    ]
    assert len(figure.layout.annotations) == 6  # no fakes: zeros and not an error


LEVELS = [
    {"kind": "jpeg", "level": level, "figures": {"all": {"auc": auc, "auc_95": edges}}}
    for level, auc, edges in ((90, 0.9, [0.85, 0.95]), (30, None, [None, None]))
]


def test_robustness_starts_at_the_untouched_pictures_and_bears_holes():
    figure = charts.robustness(LEVELS, "jpeg", ["all"], {"all": {"auc": 0.95, "auc_95": [0.9, 0.99]}})
    line = figure.data[-1]
    assert line.y == (0.95, 0.9, None)
    assert figure.layout.xaxis.ticktext == ("as is", "90", "30")
    assert figure.layout.xaxis.title.text == "Quality"


LOW = {"auc": 0.31, "auc_95": [0.12, 0.5]}
UNKNOWN = {"auc": 0.8, "auc_95": [None, None]}


def axis_of_robustness(figures):
    levels = [
        {"kind": "jpeg", "level": 90, "figures": {"all": UNKNOWN}},
        {"kind": "blur", "level": 9, "figures": figures},
    ]
    return charts.robustness(levels, "jpeg", ["all"], {"all": UNKNOWN}).layout.yaxis


def axis_of_gates(figures):
    measured = {"title": "Size", "in_use": 0, "bins": [{"from": 0, "to": 1, "real": 1, "fake": 1, **figures["all"]}]}
    return charts.gate(measured).layout.yaxis


def axis_of_areas(figures):
    return charts.areas(figures, {}).layout.xaxis


@pytest.mark.parametrize("axis_of", [axis_of_robustness, axis_of_gates, axis_of_areas])
def test_an_axis_of_areas_reaches_down_to_what_is_there(axis_of):
    assert axis_of({"all": LOW}).range[0] < 0.12  # in `robustness` even that of another kind
    assert axis_of({"all": UNKNOWN}).range[0] > 0.3  # and no further without need


def test_what_has_no_interval_is_drawn_without_one():
    part = {"difference": 0.02, "delong": {"difference_95": [None, None]}}
    for figure, bars in (
        (charts.areas({"all": {"auc": 0.8, "auc_95": None}}, {}), "error_x"),
        (charts.difference({"a": part}), "error_x"),
        (charts.gate({"title": "Size", "in_use": 0, "bins": [{**gate_bin(0, 1, 0.8), **UNKNOWN}]}), "error_y"),
    ):
        assert figure.data[0][bars].array == figure.data[0][bars].arrayminus == (0,)
        assert "nan" not in figure.to_json().lower()


def test_the_lowest_interval_is_drawn_in_full():
    # 0 is an edge as good as any other
    assert charts.areas({"all": {"auc": 0.4, "auc_95": [0.0, 0.9]}}, {}).data[0].error_x.arrayminus == (0.4,)


def test_difference_shows_the_interval_and_zero():
    part = {"difference": 0.02, "delong": {"difference_95": [-0.01, 0.05]}}
    figure = charts.difference({"a": part})
    assert figure.data[0].error_x.array == pytest.approx([0.03])
    assert figure.layout.shapes[0].x0 == 0
    low, high = figure.layout.xaxis.range
    assert low < -0.05 < 0.05 < high


BY_FILM = {"difference": 0.1, "delong": {"difference_95": [None, None]}, "bootstrap": {"difference_95": [-0.1, 0.3]}}
BY_FACE = {"difference": 0.1, "delong": {"difference_95": [0.05, 0.15]}, "bootstrap": {"difference_95": [0.0, 0.2]}}


@pytest.mark.parametrize(
    ("figures", "bars", "words"),
    [
        ({"a": BY_FACE}, [0.05], "interval: DeLong's"),
        ({"a": BY_FILM}, [0.2], "interval: bootstrap by groups"),
        ({"a": BY_FACE, "b": BY_FILM}, [0.05, 0.2], "interval: DeLong's or bootstrap by groups"),
        ({"a": {"difference": 0.1, "delong": {"difference_95": [None, None]}}}, [0], "interval: not known"),
    ],
)
def test_difference_draws_the_interval_that_holds_and_says_whose(figures, bars, words):
    figure = charts.difference(figures)
    assert figure.data[0].error_x.array == pytest.approx(bars)
    assert figure.layout.xaxis.title.text.endswith(words)


def test_areas_set_the_spectrum_beside_the_detector():
    figures = {"all": {"auc": 0.9, "auc_95": [0.8, 0.95]}, "a": {"auc": None, "auc_95": [None, None]}}
    figure = charts.areas(figures, {"a": {"auc": 0.7, "auc_95": [0.6, 0.8]}})
    assert [(trace.name, trace.x) for trace in figure.data] == [("This detector", (0.9,)), ("Spectrum alone", (0.7,))]
    assert figure.data[0].marker.symbol != figure.data[1].marker.symbol


def gate_bin(low, high, auc):
    return {
        "from": low,
        "to": high,
        "auc": auc,
        "auc_95": [auc and auc - 0.1, auc and auc + 0.05],
        "real": 9,
        "fake": 8,
    }


def test_gate_marks_the_limit_between_its_bins():
    measured = {
        "title": "Size",
        "in_use": 40.0,
        "bins": [gate_bin(0, 20, None), gate_bin(20, 40, 0.7), gate_bin(40, 1e5, 0.9)],
    }
    figure = charts.gate(measured)
    assert figure.data[0].x == ("20 to 40", "40 and more")
    assert figure.layout.shapes[0].x0 == 0.5


@pytest.mark.parametrize("dark", [False, True])
def test_no_figure_paints_its_own_ground(dark):
    assert charts.roc(CURVES, dark=dark).layout.paper_bgcolor == "rgba(0,0,0,0)"


def test_a_legend_of_many_names_has_room():
    curves = {"deletion_curve": [1, 0.5], "insertion_curve": [0, 0.5]}
    measured = {
        "methods": {f"method{number}": {"title": f"Method {number}", **curves} for number in range(8)},
        "baselines": {"chance": curves, "middle": curves},
    }
    layout = charts.faithfulness(measured, "deletion").layout
    assert layout.legend.yref == "container"  # from the lower end up: the plot shrinks and not the legend
    assert layout.legend.maxheight * layout.height > 10 * 20
    assert layout.height - 10 * 20 > 200
