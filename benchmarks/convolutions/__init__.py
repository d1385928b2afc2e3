"""NumPy kernels of convolutions and poolings against those written by hand: `python -m benchmarks.convolutions`."""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before NumPy is imported: one thread
