"""What is loaded stays loaded: Python's garbage collector need not look at it again and again.

Streamlit collects all garbage after every run of a page and of every part that polls (`runner.postScriptGC`). It looks
at every object there is, those of Plotly's and TensorFlow's modules too, and holds up all other threads meanwhile, the
detector's as well: 0.1 s each time with the packages of a page, 0.3 s with TensorFlow.
"""

import gc
import sys

_modules = 0
"""How many were loaded when the collector was last told."""


def settle() -> None:
    """Take all that is there out of the collector's sight, if modules came since the last call; near nothing otherwise.

    What was taken out before comes under its eyes once more first, so that nothing of a visitor's stays for good.
    """
    global _modules
    if len(sys.modules) != _modules:
        _modules = len(sys.modules)
        gc.unfreeze()
        gc.collect()
        gc.freeze()
