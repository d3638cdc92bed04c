"""What every test run starts from."""

from __future__ import annotations

import signal

# A shell lets what it starts in the background ignore Ctrl-C, and child processes inherit that; tests of
# Ctrl-C need it heard.
signal.signal(signal.SIGINT, signal.default_int_handler)
