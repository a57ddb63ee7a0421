"""The settings that the app is started with: what leaves the machine, and what keeps it busy."""

import tomllib
from pathlib import Path

CONFIG = tomllib.loads((Path(__file__).parents[1] / ".streamlit/config.toml").read_text(encoding="utf-8"))


def test_nothing_leaves_the_machine():
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert CONFIG["server"]["address"] == "localhost"


def test_folders_are_not_watched():
    """Streamlit would watch .venv as well, and the first clip of a session take twice as long."""
    assert CONFIG["server"]["fileWatcherType"] == "none"


def test_loose_strings_are_not_written_on_pages():
    assert CONFIG["runner"]["magicEnabled"] is False
