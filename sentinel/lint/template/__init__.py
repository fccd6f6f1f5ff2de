"""Checks about template; one file each."""
