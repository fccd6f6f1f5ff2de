"""Checks about file; one file each."""
