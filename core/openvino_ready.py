"""Imported by whatever runs OpenVINO: its first array from NumPy is made here, by one thread alone.

OpenVINO's Python binding (2026.4) looks NumPy up when it first sees an array. Of two threads that come to this at the
same time one can wait for the other's lookup without letting go of Python's lock, which the lookup needs: both wait for
ever. It was seen with faces looked for in two threads on a busy machine.
"""

import numpy as np
import openvino as ov

ov.Tensor(np.zeros(1, np.float32))
