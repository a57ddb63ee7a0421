"""A report's content told in one language: a list of blocks that HTML and PDF draw in the same order."""

from collections.abc import Iterator
from datetime import UTC, datetime

from core.analysis.types import FaceScore, ImageReport, VideoReport
from core.detector.spec import DetectorSpec, QualityGates
from core.explain.overlay import SCALE_LOGITS
from core.media import shown_name
from core.report import blocks as b
from core.report.content import Content
from core.report.pictures import View
from core.report.reproduce import command, sampling_kind
from core.timeline_points import points_by_track, usual_step_s
from core.words import Words, retell

MAX_REASONS, MAX_TIMELINES, MAX_ROWS = 8, 8, 40
_BADNESS = {"fake": 0, "uncertain": 1, "real": 2}


def document(content: Content, to: Words) -> Iterator[b.Block]:
    """All blocks of a report, from the verdict to its limits."""
    yield b.Title(to("report.title"), shown_name(content.report.path))
    yield from _verdict(content, to)
    yield from _file(content, to)
    if isinstance(content.report, VideoReport):
        yield from _people(content, content.report, to)
    else:
        yield from _faces(content.report, to)
    yield from _pictures(content, to)
    yield from _metadata(content, to)
    yield from _settings(content, to)
    yield b.Heading(to("report.reproduce"))
    yield b.Command(command(content.report, content.engine.partition(",")[0], to.language))
    yield b.Paragraph(to("report.reproduce_caption"), muted=True)
    yield b.Heading(to("report.limits"))
    yield b.Paragraph(to("report.limits_text"))


def _verdict(content: Content, to: Words) -> Iterator[b.Block]:
    report, limits = content.report, _limits(content)
    share = report.fake_probability
    yield b.Headline(
        verdict=report.verdict,
        word=to(f"verdict.{report.verdict}"),
        probability="" if share is None else _probability(report, share, to),
        share=share,
        limits=limits,
        caution=to(f"limit.{report.verdict}"),
    )
    if content.file != "same":
        yield b.Paragraph(to(f"report.{content.file}", sha256=content.sha256_now))
    looking = report.deciding if isinstance(report, ImageReport) else ()
    if looking:
        yield b.Paragraph(to("report.look_manipulated", numbers=", ".join(map(str, looking))))
    if report.reasons:
        more = len(report.reasons) - MAX_REASONS
        reasons = [retell(reason, to) for reason in report.reasons[:MAX_REASONS]]
        yield b.Heading(to("report.reasons_others" if looking else "report.reasons"))
        yield b.Items((*reasons, *([to("report.more", count=more)] if more > 0 else [])))
    if limits and share is not None:
        low, high = (to.percent(limit) for limit in limits)
        yield b.Paragraph(to("report.thresholds", low=low, high=high), muted=True)


def _probability(report: ImageReport | VideoReport, share: float, to: Words) -> str:
    """Whose it is, where there are several."""
    parts, key = (report.tracks, "people") if isinstance(report, VideoReport) else (report.faces, "faces")
    several = len(parts) > 1
    return to(
        f"report.probability_{key}" if several else "report.probability", count=len(parts), value=to.percent(share)
    )


def _file(content: Content, to: Words) -> Iterator[b.Block]:
    report = content.report
    rows = [
        (to("report.name"), shown_name(report.path)),
        (to("report.bytes"), to("report.bytes_value", bytes=f"{content.size_bytes:,}".replace(",", " "))),
        (to("report.sha256"), content.sha256),
    ]
    if report.size_wh:
        rows.append((to("fact.size"), f"{report.size_wh[0]} × {report.size_wh[1]}"))
    if isinstance(report, VideoReport):
        rows.append((to("report.duration"), to("report.seconds", value=to.number(report.duration_s))))
        counted = to("report.frames_value", count=len(report.frames), sampling=_sampling(report.sampling, to))
        rows.append((to("report.frames"), counted))
        if report.faced_frames < len(report.frames):
            rows.append((to("report.faced_frames"), str(report.faced_frames)))
    rows.append((to("report.analysed_at"), _moment(content.analysed_at, to)))
    rows.append((to("report.made_at"), _moment(content.made_at, to)))
    yield b.Heading(to("report.file"))
    yield b.Pairs(tuple(rows))
    if report.warnings:
        yield b.Items(tuple(retell(warning, to) for warning in report.warnings))


def _people(content: Content, report: VideoReport, to: Words) -> Iterator[b.Block]:
    if not report.tracks:
        return
    tracks = sorted(report.tracks, key=lambda track: (_BADNESS.get(track.verdict, 3), -track.fake_probability))
    head = ("person", "verdict", "fake_probability", "seen", "judged", "stretches")
    rows = [
        (
            str(track.id),
            to(f"verdict.{track.verdict}"),
            to.percent(track.fake_probability),
            _span(track.start_s, track.end_s, to),
            str(track.face_count),
            "; ".join(_span(stretch.start_s, stretch.end_s, to) for stretch in track.stretches) or "–",
        )
        for track in tracks[:MAX_ROWS]
    ]
    yield b.Heading(to("report.people"))
    yield b.Table(tuple(to(f"report.{key}") for key in head), tuple(rows))
    if len(tracks) > MAX_ROWS:
        yield b.Paragraph(to("report.more", count=len(tracks) - MAX_ROWS), muted=True)
    yield b.Heading(to("report.timelines"))
    yield b.Paragraph(to("report.timelines_caption"), muted=True)
    people, step_s = points_by_track(report.frames), usual_step_s(report.frames)
    for order, track in enumerate(tracks[:MAX_TIMELINES]):
        yield b.Timeline(
            title=f"{to('person.numbered', number=track.id)} · {to(f'verdict.{track.verdict}')} · "
            f"{to.percent(track.fake_probability)}",
            axis=to("report.time_axis"),
            points=tuple(people.get(track.id, ())),
            stretches=tuple((stretch.start_s, stretch.end_s) for stretch in track.stretches),
            end_s=max(report.duration_s, *(frame.time_s for frame in report.frames[-1:]), 0.1),
            limits=_limits(content),
            step_s=step_s,
            order=order,
        )
    if len(tracks) > MAX_TIMELINES:
        yield b.Paragraph(to("report.left_out", shown=MAX_TIMELINES, all=len(tracks)), muted=True)
    if spec := content.spec:
        whole, stretch = (spec.limits(video=video).fake_above for video in (True, False))
        if stretch != whole:
            given = {"whole": to.percent(whole), "stretch": to.percent(stretch)}
            yield b.Paragraph(to("report.stretch_threshold", **given), muted=True)


def _height(score: FaceScore, to: Words) -> str:
    height, turned = int(score.quality.face_px), score.face.rotation_deg
    return to("report.pixels_upright", count=height, deg=turned) if turned else to("report.pixels", count=height)


def _faces(report: ImageReport, to: Words) -> Iterator[b.Block]:
    if not report.faces:
        return
    head = tuple(to(f"report.{key}") for key in ("face", "verdict", "fake_probability", "height"))
    rows = [
        (
            str(number),
            to(f"verdict.{score.verdict}"),
            to.percent(score.fake_probability),
            _height(score, to),
        )
        for number, score in enumerate(report.faces, start=1)
    ]
    yield b.Heading(to("report.faces"))
    yield b.Table(head, tuple(rows[:MAX_ROWS]))
    if len(rows) > MAX_ROWS:
        yield b.Paragraph(to("report.more", count=len(rows) - MAX_ROWS), muted=True)


def _pictures(content: Content, to: Words) -> Iterator[b.Block]:
    if not content.views:
        return
    is_video = isinstance(content.report, VideoReport)
    yield b.Heading(to("report.strongest" if is_video else "report.evidence"))
    if content.spec is not None and any(view.score for view in content.views):
        yield b.Paragraph(to("report.evidence_caption", logits=f"{SCALE_LOGITS:g}"), muted=True)
    if is_video:
        yield b.Paragraph(to("report.strongest_caption"), muted=True)
    yield b.Figures(
        tuple(b.Figure(view.jpeg, view.size_wh, _caption(view, to), view.score is None) for view in content.views)
    )
    shown, faces = sum(view.score is not None for view in content.views), len(getattr(content.report, "faces", ()))
    if 0 < shown < faces:
        yield b.Paragraph(to("report.left_out", shown=shown, all=faces), muted=True)


def _caption(view: View, to: Words) -> str:
    if view.score is None:
        return to("report.whole")
    said = f"{to(f'verdict.{view.score.verdict}')}, {to.percent(view.score.fake_probability)}"
    if view.time_s is None:
        return f"{to('face.numbered', number=view.number)}: {said}"
    who = to("person.numbered", number=view.number)
    return f"{to('report.at', who=who, time=to.number(view.time_s))}: {said}"


def _metadata(content: Content, to: Words) -> Iterator[b.Block]:
    findings = content.findings
    if findings is None:
        return
    yield b.Heading(to("report.metadata"))
    yield b.Paragraph(to("report.metadata_caption"), muted=True)
    notes = [note.text(to) for note in findings.notes]
    yield b.Items((*findings.credentials.sentences(to), *notes))
    if findings.facts:
        yield b.Pairs(tuple((fact.name(to), fact.said(to)) for fact in findings.facts))


def _settings(content: Content, to: Words) -> Iterator[b.Block]:
    report, spec = content.report, content.spec
    rows = [(to("report.model"), report.model), (to("report.model_sha256"), report.model_sha256)]
    if spec is not None:
        limits = spec.limits(video=isinstance(report, VideoReport))
        rows += [
            (to("report.engine"), content.engine),
            (to("report.input"), input_words(spec, to, still=isinstance(report, ImageReport))),
            (to("report.threshold_values"), f"{to.percent(limits.real_below)} / {to.percent(limits.fake_above)}"),
            (to("report.gates"), least_quality(spec.gates, to)),
            (to("report.licence"), spec.licence),
        ]
    rows.append((to("report.took"), to("report.seconds", value=to.number(report.seconds))))
    yield b.Heading(to("report.settings"))
    yield b.Pairs(tuple((name, value) for name, value in rows if value))
    if spec is None:
        yield b.Paragraph(to("report.other_detector"), muted=True)


def input_words(spec: DetectorSpec, to: Words, *, still: bool) -> str:
    """What of a face a detector sees, of a still or in a video."""
    usual = to("report.input_value", size=spec.input_size, crop=to.localised(f"{spec.crop.scale:g}"))
    if not (still and spec.crop.wide):
        return usual
    return to("report.input_views", input=usual, wide=to.localised(f"{spec.crop.wide:g}"))


def least_quality(gates: QualityGates, to: Words) -> str:
    """The limits of the quality gates in words: a face beyond one of them is uncertain."""
    return to(
        "report.gates_value",
        px=f"{gates.min_face_px:g}",
        sharpness=to.localised(f"{gates.min_sharpness:g}"),
        brightness=to.localised(f"{gates.min_brightness:g}"),
        turn=to.localised(f"{gates.max_turn:g}"),
        noise=to.localised(f"{gates.max_noise:g}"),
        quantiser=to.localised(f"{gates.max_quantiser:g}"),
        tilt=to.localised(f"{gates.max_tilt:g}"),
    )


def _limits(content: Content) -> tuple[float, float] | None:
    spec = content.spec
    if spec is None:
        return None
    limits = spec.limits(video=isinstance(content.report, VideoReport))
    return limits.real_below, limits.fake_above


def _span(start_s: float, end_s: float, to: Words) -> str:
    return to("report.from_to", start=to.number(start_s), end=to.number(end_s)) + "\u00a0s"


def _sampling(sampling: str, to: Words) -> str:
    known = sampling_kind(sampling)
    return to(f"report.sampling_{known[0]}", value=to.localised(known[1])) if known else sampling


def _moment(moment: datetime | None, to: Words) -> str:
    return to("report.unknown") if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
