"""Checks about group; one file each."""
