"""Tests mirror the package; what they share lies in `tests/receivers` and `tests/e2e/process.py`."""
