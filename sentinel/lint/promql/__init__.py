"""Checks about promql; one file each."""
