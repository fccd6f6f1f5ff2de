"""Checks about policy; one file each."""
