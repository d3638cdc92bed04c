"""What every test run starts from."""

from __future__ import annotations

import os
import signal
import tempfile

# A shell lets what it starts in the background ignore Ctrl-C, and child processes inherit that; tests of
# Ctrl-C need it heard.
signal.signal(signal.SIGINT, signal.default_int_handler)

# What is kept between runs is kept from run to run of the program, not of its tests.
_cache = tempfile.TemporaryDirectory(prefix="glyphmix-tests-")
os.environ["GLYPHMIX_CACHE"] = _cache.name
