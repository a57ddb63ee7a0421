"""An evaluation as aligned text, for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from core.evaluation.document import Document
from core.evaluation.gates import asked
from core.evaluation.parts import ALL
from core.evaluation.robustness import kinds_in

NONE = "–"


def as_text(document: Document) -> str:
    """All that was measured, in tables."""
    return "\n".join(_lines(document))


def number(value: float | None, digits: int = 3) -> str:
    """ "0.886"; a dash for what is not known."""
    return NONE if value is None else f"{value:.{digits}f}"


def interval(edges: Sequence[float | None] | None) -> str:
    """ "0.867–0.905"."""
    return NONE if not edges or None in edges else "–".join(number(edge) for edge in edges)


def signed_interval(edges: Sequence[float | None] | None) -> str:
    """ "-0.003 to +0.010"."""
    return NONE if not edges or None in edges else " to ".join(f"{edge:+.3f}" for edge in edges)


def difference_interval(figures: Mapping[str, Any]) -> Sequence[float | None]:
    """The interval of a part's difference that counts: DeLong's, or the bootstrap's where there is none of DeLong's."""
    return figures[way]["difference_95"] if (way := _way(figures)) else (None, None)


def interval_words(figures: Iterable[Mapping[str, Any]]) -> str:
    """Whose intervals `difference_interval` gives: "DeLong's", "bootstrap by groups", or both."""
    ways = {_way(one) for one in figures}
    return " or ".join(words for way, words in WAYS.items() if way in ways) or "not known"


WAYS = {"delong": "DeLong's", "bootstrap": "bootstrap by groups"}


def _way(figures: Mapping[str, Any]) -> str | None:
    intervals = ((way, (figures.get(way) or {}).get("difference_95")) for way in WAYS)
    return next((way for way, edges in intervals if edges and None not in edges), None)


def p_value(p: float | None) -> str:
    """ "0.0123"."""
    return NONE if p is None else f"{p:.3g}"


def percent(share: float | None) -> str:
    """ "4.3 %"."""
    return NONE if share is None else f"{100 * share:.1f} %"


def share_with_interval(figures: dict[str, Any], key: str) -> str:
    """ "2.9 % (1.0–9.8)"."""
    edges = figures[f"{key}_95"]
    if figures[key] is None or not edges or None in edges:
        return percent(figures[key])
    low, high = (100 * edge for edge in edges)
    return f"{percent(figures[key])} ({low:.1f}–{high:.1f})"


def _lines(document: Document) -> Iterator[str]:
    detector, data = document["detector"], document["data"]
    yield (
        f"{detector['name']} ({detector['engine']} {detector['precision']}) on {data['name']}, {data['split']} split, "
        f"{document['seconds']:g} s"
    )
    yield from _table(*_parts(document))
    if any(figures["auc"] is None for figures in document["figures"].values()):
        yield f"{NONE}: an AUC, its interval and an EER need faces of real and of fake media: one class has none."
    yield from _calibration(document)
    for column, values in (document.get("columns") or {}).items():
        yield ""
        yield from _table(
            [column, *HEAD[1:-1], "against"], [[*_row(v, f), f["against"] or ""] for v, f in values.items()]
        )
    if document.get("comparison"):
        yield from _comparison(document)
    if document.get("robustness"):
        yield from _robustness(document)
    if document.get("gates"):
        yield from _gates(document["gates"])
    if document.get("explanations"):
        yield from _explanations(document["explanations"])
    if document.get("notes"):
        yield "\n" + "\n".join(document["notes"])
    if document.get("unreadable"):
        yield f"\n{len(document['unreadable'])} files cannot be read, such as {document['unreadable'][0]['reason']}"


HEAD = [
    *("source", "real", "fake", "no face", "AUC", "95 %", "average precision", "EER"),
    *("right when it decides", "real→fake", "fake→real", "uncertain"),
]


def _parts(document: Document) -> tuple[list[str], list[list[str]]]:
    baseline = document.get("baseline") or {}
    head = [*HEAD, "spectrum AUC"] if baseline else HEAD
    rows = []
    for part, figures in document["figures"].items():
        row = [*_row(part, figures), percent(figures["uncertain"])]
        rows.append([*row, number(baseline.get(part, {}).get("auc"))] if baseline else row)
    return head, rows


def _row(name: str, figures: dict[str, Any]) -> list[str]:
    counts = [str(figures[key]) for key in ("real", "fake", "no_face")]
    return [name, *counts, *areas(figures), *map(percent, shares(figures))]


def areas(figures: Mapping[str, Any]) -> list[str]:
    """AUC, its interval, average precision and equal error rate."""
    ranked = [number(figures["auc"]), interval(figures["auc_95"]), number(figures.get("average_precision"))]
    return [*ranked, percent(figures["eer"])]


def shares(figures: Mapping[str, Any]) -> list[float | None]:
    """Accuracy of the verdicts that were given, at equal base rates, and both classes' wrong verdicts."""
    return [figures.get("accuracy"), figures["real_called_fake"], figures["fake_called_real"]]


def _calibration(document: Document) -> Iterator[str]:
    error = (document.get("calibration") or {}).get("all")
    if error:
        yield (
            f"calibration error at equal base rates, debiased: {number(error['ece'])} "
            f"(95 % {interval(error['ece_95'])}; as measured {number(error['ece_plain'])}); "
            f"Brier score {number(error['brier'])}"
        )


def _comparison(document: Document) -> Iterator[str]:
    comparison = document["comparison"]
    one, other = document["detector"]["name"], comparison["other"]["name"]
    whose = interval_words(comparison["figures"].values())
    yield f"\n{one} against {other}, on what has a face for both; intervals to go by: {whose}"
    head = ["source", "faces", "AUC", "AUC of other", "difference", "95 % (DeLong)", "p", "95 % (bootstrap)", "p"]
    rows = []
    for part, f in comparison["figures"].items():
        tests = [(signed_interval(f[way]["difference_95"]), p_value(f[way]["p"])) for way in ("delong", "bootstrap")]
        areas = [number(f["auc"]), number(f["other_auc"]), f"{f['difference']:+.3f}"]
        rows.append([part, str(f["items"]), *areas, *tests[0], *tests[1]])
    yield from _table(head, rows)


def _robustness(document: Document) -> Iterator[str]:
    levels = document["robustness"]["levels"]
    parts = list(levels[0]["figures"])
    yield "\nAUC on changed copies, and what is lost against the untouched ones; of all faces, how many get no verdict"
    yield from _table(["change", *parts, *UNDECIDED], robustness_rows(document["robustness"], parts))


UNDECIDED = ("uncertain", "no face")


def robustness_rows(measured: dict[str, Any], parts: Sequence[str]) -> list[list[str]]:
    """A row for the untouched pictures and one a level: AUC and loss by part, and what of all is undecided."""
    untouched, levels = measured["untouched"], measured["levels"]
    rows = [["untouched", *(number(untouched[part]["auc"]) for part in parts), *_undecided(untouched[ALL])]]
    for kind in kinds_in(levels):
        for level in (one for one in levels if one["kind"] == kind):
            cells = [level["figures"].get(part, {}) for part in parts]
            losses = [f"{number(f.get('auc'))} ({_loss(f.get('loss'))})" for f in cells]
            rows.append([level["label"], *losses, *_undecided(level["figures"][ALL])])
    return rows


def _undecided(figures: dict[str, Any]) -> list[str]:
    return [percent(figures["uncertain"]), str(figures["no_face"])]


def _loss(loss: float | None) -> str:
    if loss is None:
        return NONE
    return f"{round(-loss, 3) + 0.0:+.3f}"  # without a minus before 0.000


def _gates(gates: dict[str, Any]) -> Iterator[str]:
    for name, gate in gates.items():
        yield f"\n{gate['title']}: {name} is {gate['in_use']:g}; asked for: {asked(gate)}"
        rows = [
            [f"{one['from']:g} to {one['to']:g}", *(str(one[label]) for label in ("real", "fake"))]
            + [number(one["auc"]), interval(one["auc_95"])]
            + [share_with_interval(one, key) for key in ("real_called_fake", "fake_called_real")]
            for one in gate["bins"]
            if one["real"] + one["fake"]
        ]
        yield from _table(["from", "real", "fake", "AUC", "95 %", "real→fake", "fake→real"], rows)


EXPLANATION_HEAD = (
    *("method", "s a face", "faces", "deletion", "insertion", "gain", "pointing game", "overlap"),
    *("shuffled: head", "half", "all"),
)


def explanation_rows(measured: dict[str, Any]) -> list[list[str]]:
    """The table of methods under `EXPLANATION_HEAD`, with two maps that know nothing below it."""
    rows = [
        [
            one["title"] + (" (default)" if name == measured["default"] else ""),
            number(one["seconds"], 2),
            *_faithfulness(one),
            *(number(one["agreement"].get(stage), 2) for stage in ("head", "half", "all")),
        ]
        for name, one in measured["methods"].items()
    ]
    blind = [[words, NONE, *_faithfulness(measured["baselines"][name]), *[NONE] * 3] for name, words in BLIND.items()]
    return rows + blind


def explanation_words(measured: dict[str, Any]) -> str:
    """What the table of methods was measured on, in a sentence."""
    return (
        f"Methods of explanation on {measured['faces']} faces manipulated in known places ({measured['tried']} were "
        f"made, {measured['called_fake']} of these are called fake), maps of the network's layer {measured['layer']}."
    )


BLIND = {"chance": "a map by chance", "middle": "the middle of the crop"}


def _faithfulness(one: dict[str, Any]) -> list[str]:
    error = "" if one["gain_error"] is None else f" ± {one['gain_error']:.2f}"
    areas = [number(one[key], 2) for key in ("deletion", "insertion")]
    return [
        str(one["faces"]),
        *areas,
        number(one["gain"], 2) + error,
        percent(one["pointing"]),
        number(one["overlap"], 2),
    ]


def _explanations(measured: dict[str, Any]) -> Iterator[str]:
    yield f"\n{explanation_words(measured)}"
    yield from _table(EXPLANATION_HEAD, explanation_rows(measured))
    yield measured["rule"]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        first, *others = row
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
        yield "  ".join(cells).rstrip()
