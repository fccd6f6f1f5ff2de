"""Checks about probe; one file each."""
