"""Checks about mute; one file each."""
