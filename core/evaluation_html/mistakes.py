"""Section of the HTML file on the most confident mistakes: faces under their evidence maps, and names."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from core.evaluation.document import Document
from core.evaluation.gallery import OF_A_VIDEO, Card
from core.evaluation.mistakes import most_confident
from core.evaluation.text import percent
from core.evaluation_html.page import table
from core.explain import LEGEND
from core.media import shown_name

LISTED = 20


def mistakes(document: Document, cards: Sequence[Card]) -> Iterator[str]:
    """Nothing where none were made, or where no paths are known."""
    items = document["items"]
    found = most_confident(items, LISTED) if "path" in items else []
    if not found:
        return
    yield "<h2>Most confident mistakes</h2>"
    if cards:
        words = f"{LEGEND} The percentage is the fake probability that was given."
        if any(card.time_s is not None for card in cards):
            words += f" {OF_A_VIDEO}"
        yield f'<p class="muted">{escape(words)}</p><div class="faces">'
        yield from (_card(items, card) for card in cards)
        yield "</div>"
    rows = [
        [
            "/".join(Path(items["path"][at]).parts[-4:]),
            items["source"][at],
            items["label"][at],
            percent(items["fake_probability"][at]),
        ]
        for at in found
    ]
    yield table(["file", "source", "is", "fake probability"], rows, path_column=True)


def _card(items: Mapping[str, list[Any]], card: Card) -> str:
    at, name = card.at, shown_name(items["path"][card.at])
    when = "" if card.time_s is None else f"second\N{NO-BREAK SPACE}{card.time_s:.1f}"
    where = " · ".join(filter(None, (items["source"][at], name, when)))
    if card.jpeg is None:
        picture = f'<p class="none muted">{escape(card.problem)}</p>'
    else:
        alt = f"Face in {name}{when and f' at {when}'} under its evidence map"
        data = b64encode(card.jpeg).decode()
        picture = f'<img alt="{escape(alt)}" src="data:image/jpeg;base64,{data}">'
    share = percent(items["fake_probability"][at]).replace(" ", "\N{NO-BREAK SPACE}")
    said = f"Called {items['verdict'][at]}, {share}"
    return (
        f"<figure>{picture}<strong>{escape(said)}</strong><br>Is {escape(items['label'][at])}"
        f"<figcaption>{escape(where)}</figcaption></figure>"
    )
