"""Training on a machine with a GPU that has PyTorch and no TensorFlow, and that nothing but parcels reaches.

    python -m benchmarks.gpu.pack --data MANIFEST --out PACK          # here: crops, meshes and starting weights
    python -m benchmarks.gpu.train --pack PACK --out OUT [--recipes]  # there: needs torch, triton, numpy, opencv, av
    python -m benchmarks.gpu.home OUT/last.npz --run RUN              # here: a run, for `train.py --finish RUN`

The pictures are drawn by the same code as anywhere (`core/data/draw.py`); only the network and the loop are PyTorch's.
"""
