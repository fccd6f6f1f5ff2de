"""Checks about inhibit; one file each."""
