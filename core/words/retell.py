"""The sentences of the analysis in another language.

Verdict rules write English, for records and screens. Their sentences are few and built from fixed parts, so they are
recognised by the English catalogue (`reason.*`) and told again; one that is not recognised stays as it is.
"""

import re
from functools import cache

from core.words.catalogue import Words, words

_NUMBERED = re.compile(r"(Face|Person) (\d+): (.*)", re.DOTALL)
_FIGURE = re.compile(r"[<>]? ?\d+(\.\d+)?( %)?")


def retell(sentence: str, to: Words) -> str:
    """A sentence of the analysis in the language of `to`; unchanged where it is not known."""
    if to.language == "en":
        return sentence
    if numbered := _NUMBERED.fullmatch(sentence):
        who = to(f"{numbered[1].lower()}.numbered", number=numbered[2])
        return f"{who}: {retell(numbered[3], to)}"
    for key, pattern in _patterns():
        if found := pattern.fullmatch(sentence):
            return to(key, **{name: _value(text, to) for name, text in found.groupdict().items()})
    return sentence


def _value(text: str, to: Words) -> str:
    return to.localised(text).replace(" ", "\u00a0") if _FIGURE.fullmatch(text) else text


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    return [(key, _pattern(text)) for key, text in words("en").texts.items() if key.startswith("reason.")]


def _pattern(template: str) -> re.Pattern[str]:
    """A template with every placeholder as a named group: figures, or a name in quotes."""
    parts = re.split(r"\{(\w+)\}", template)
    text = [re.escape(part) for part in parts[::2]]
    groups = [f"(?P<{name}>{'.*' if name == 'name' else '[<>0-9. %]+'})" for name in parts[1::2]]
    return re.compile("".join(a + b for a, b in zip(text, [*groups, ""], strict=True)), re.DOTALL)
