"""What a file says of itself, apart from its pixels: facts, notes in plain words, Content Credentials."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from core.words import Words, words

CredentialState = Literal["none", "valid", "trusted", "invalid", "remote", "unreadable"]


@dataclass(frozen=True)
class Note:
    """A sentence of the catalogues: `note.<key>` with what is filled in."""

    key: str
    values: Mapping[str, str] = field(default_factory=dict)

    def text(self, to: Words) -> str:
        return to(f"note.{self.key}", **self.values)


@dataclass(frozen=True)
class Fact:
    """One thing that the file states; its name is `fact.<key>` in the catalogues, its value one harmless line."""

    key: str
    value: str

    def name(self, to: Words) -> str:
        return to(f"fact.{self.key}")

    def said(self, to: Words) -> str:
        """The value for readers of a language: the data rate is our figure, all else stands as the file states it."""
        return to.localised(self.value) if self.key == "bit_rate" else self.value


@dataclass(frozen=True)
class Credentials:
    """The Content Credentials (C2PA) of a file. All texts come from the file: cleaned to one line, not to be believed.

    Attributes:
        state: `none`; `valid`: the signature fits the file, the signer is not known here; `trusted`: the signer is on
            a list that was given; `invalid`: it does not validate; `remote`: they lie at an address, which is not
            asked; `unreadable`: the file is damaged or of a kind in which they cannot be looked for.
        signer: Whom the certificate names.
        signed_at: As a trusted clock or the signer says, "" where nobody does.
        tool: The program that wrote them.
        title: What they call the file.
        actions: What was done, in order, such as `created` or `color_adjustments`.
        sources: IPTC's digital source types, such as `trainedAlgorithmicMedia`.
        ingredients: How many other files went into this one.
        problems: Why it does not validate, as codes of the C2PA specification.
        address: Where they lie, for `remote`.
    """

    state: CredentialState = "none"
    signer: str = ""
    signed_at: str = ""
    tool: str = ""
    title: str = ""
    actions: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    ingredients: int = 0
    problems: tuple[str, ...] = ()
    address: str = ""

    def sentences(self, to: Words) -> Iterator[str]:
        """What they are worth first, then what they say."""
        yield to(f"credentials.{self.state}", signer=self.signer or to("credentials.unnamed"), address=self.address)
        if self.problems:
            yield to("credentials.problems", problems=", ".join(self.problems))
        if self.tool:
            yield to("credentials.tool", tool=self.tool)
        if self.actions:
            yield to("credentials.actions", actions=", ".join(_action(action, to) for action in self.actions))
        for source in self.sources:
            yield source_note(source).text(to)
        if self.ingredients:
            yield to("credentials.ingredients", count=self.ingredients)
        if self.signed_at:
            yield to("credentials.signed_at", when=self.signed_at)

    def to_dict(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "signer": self.signer,
            "signed_at": self.signed_at,
            "tool": self.tool,
            "title": self.title,
            "actions": list(self.actions),
            "digital_source_types": list(self.sources),
            "ingredients": self.ingredients,
            "problems": list(self.problems),
            "address": self.address,
            "text": " ".join(self.sentences(words("en"))),
        }


@dataclass(frozen=True)
class Findings:
    """All of it."""

    credentials: Credentials = Credentials()
    facts: tuple[Fact, ...] = ()
    notes: tuple[Note, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For records: names and sentences in English."""
        return {
            "content_credentials": self.credentials.to_dict(),
            "facts": {fact.key: fact.value for fact in self.facts},
            "notes": [{"key": note.key, "text": note.text(words("en"))} for note in self.notes],
        }


GENERATED = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia")


def source_note(source: str) -> Note:
    """What a digital source type says, in words."""
    if source in GENERATED:
        return Note("source_generated" if source == GENERATED[0] else "source_composite", {"source": source})
    return Note("source_captured" if source == "digitalCapture" else "source_other", {"source": source})


def _action(action: str, to: Words) -> str:
    key = f"action.{action}"
    return to(key) if to.has(key) else action
