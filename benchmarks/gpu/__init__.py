"""Training on a machine with a GPU that has PyTorch and no TensorFlow, and that nothing but parcels reaches.

    python -m benchmarks.gpu.pack --data MANIFEST --out PACK  # here: crops and meshes, in parcels
    python -m benchmarks.gpu.weights --init default --out PACK/default.npz  # here: what to start from
    python -m benchmarks.gpu.train --pack PACK --out OUT  # there: needs torch, scipy, numpy, opencv, pillow, av
    python -m benchmarks.gpu.weights --init OUT/best.npz --out best.keras  # here: for `train.py --init best.keras`

The pictures are drawn by the same code as anywhere (`core/data/draw.py`); only the network and the loop are PyTorch's.
"""

import importlib.util
import sys
from unittest.mock import MagicMock

for missing in ("openvino", "pillow_heif"):  # not there, and not needed: meshes come with the parcels
    if importlib.util.find_spec(missing) is None:
        sys.modules[missing] = MagicMock()
