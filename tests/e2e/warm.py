"""Imported by what agents are forked from: the models of all kinds are made once, and nothing of it is copied."""

from __future__ import annotations

import gc

from sentinel.config.load import load_texts
from sentinel.core.clock import SystemClock

load_texts({}, {}, SystemClock().now(), agent="nursery")
gc.freeze()
