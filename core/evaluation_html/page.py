"""What the sections of the HTML file are made of: charts that are drawn in the reader's colours, and tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from typing import Any

import plotly.graph_objects as go

Draw = Callable[[bool], go.Figure]


class Page:
    """Gathers the charts while the text is written."""

    def __init__(self) -> None:
        self._charts: dict[str, dict[str, Any]] = {}

    def chart(self, title: str, caption: str, draw: Draw) -> str:
        """A card that holds a chart in both colours."""
        name = f"chart-{len(self._charts)}"
        self._charts[name] = {look: draw(look == "dark").to_plotly_json() for look in ("light", "dark")}
        height = self._charts[name]["light"]["layout"]["height"]
        return (
            f"<figure><h3>{escape(title)}</h3>"
            f'<div id="{name}" role="img" aria-label="{escape(title)}" style="height:{height}px"></div>'
            f"<figcaption>{escape(caption)}</figcaption></figure>"
        )

    def data(self) -> str:
        """JSON that cannot end the script element it stands in."""
        text = json.dumps(self._charts, cls=_Encoder, separators=(",", ":"))
        return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


class _Encoder(json.JSONEncoder):
    def default(self, o: Any) -> Any:
        return o.tolist() if hasattr(o, "tolist") else list(o)


def table(head: list[str], rows: list[list[str]], path_column: bool = False) -> str:
    """Cells are escaped here, and only here."""
    lines = ["".join(f"<th>{escape(cell)}</th>" for cell in head)]
    for first, *others in rows:
        opening = '<td class="path">' if path_column else "<td>"
        lines.append(f"{opening}{escape(first)}</td>" + "".join(f"<td>{escape(cell)}</td>" for cell in others))
    return '<div class="wide"><table>' + "".join(f"<tr>{line}</tr>" for line in lines) + "</table></div>"
