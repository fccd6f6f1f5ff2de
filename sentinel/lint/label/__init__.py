"""Checks about label; one file each."""
