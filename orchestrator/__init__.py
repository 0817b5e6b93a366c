"""Starts, watches, collects and evaluates runs. No decision of a household waits for it."""

import os

# numpy's BLAS must not start threads of its own: hosts are forked, and a core serves one host.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
