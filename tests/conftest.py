"""What every test run starts from."""

from __future__ import annotations

import os
import signal
import tempfile

# A shell lets what it starts in the background ignore Ctrl-C, and child processes inherit that; tests of
# Ctrl-C need it heard.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Networks as small as those of tests are no faster on several threads, and where another program has one
# of the cores, threads that wait for each other take ten times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# What is kept between runs is kept from run to run of the program, not of its tests.
_cache = tempfile.TemporaryDirectory(prefix="glyphmix-tests-")
os.environ["GLYPHMIX_CACHE"] = _cache.name
