"""What the parts of an evaluation are called: all sources together, and each by its name."""

ALL = "all"


def part_of(source: str) -> str:
    """The part that holds a source; one that is called "all" itself would hide the pooled figures."""
    return f"{source} (source)" if source == ALL else source
