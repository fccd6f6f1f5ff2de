"""Checks about alert; one file each."""
