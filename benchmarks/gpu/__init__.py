"""Training on a machine with a GPU that has PyTorch and no TensorFlow, and that nothing but parcels reaches.

    python -m benchmarks.gpu.pack --data MANIFEST --out PACK  # here: crops and meshes, in parcels
    python -m benchmarks.gpu.weights --init default --out PACK/default.npz  # here: what to start from
    python -m benchmarks.gpu.train --pack PACK --out OUT  # there: needs torch, scipy, numpy, opencv, pillow, av
    python -m benchmarks.gpu.run --weights A.npz B.npz --looks OUT/main.jsonl --data MANIFEST --run RUN  # here
    python train.py --finish RUN  # makes a detector of it
    python -m benchmarks.gpu.weights --init A.npz --out A.keras  # or, to go on from: `train.py --init A.keras`

The pictures are drawn by the same code as anywhere (`core/data/draw.py`); only the network and the loop are PyTorch's.
"""

import importlib.util
import sys
from unittest.mock import MagicMock

for missing in ("openvino", "pillow_heif"):  # not there, and not needed: meshes come with the parcels
    if importlib.util.find_spec(missing) is None:
        sys.modules[missing] = MagicMock()
