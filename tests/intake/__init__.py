"""Tests of `intake`."""
