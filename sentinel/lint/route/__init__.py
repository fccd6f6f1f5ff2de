"""Checks about route; one file each."""
