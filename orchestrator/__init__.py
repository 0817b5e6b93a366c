"""Starts, watches, collects and evaluates runs. No decision of a household waits for it."""

import os

# numpy's BLAS must not start threads: hosts are forked, and each core serves one host.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
