"""Checks about check; one file each."""
