"""Rules for tests, made from the same words as YAML's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sentinel.rules import FORMS, Rule, form_named, make_rule
from sentinel.rules.keys import RuleKeys

#: The probes that a tree of tests has.
INTERVALS = {name: timedelta(seconds=15) for name in ("shop", "purchases", "discovery", "hourly")}


def rule(entry: Mapping[str, Any], intervals: Mapping[str, timedelta] | None = None) -> Rule:
    """Make the rule that this entry under `rules:` says; scalars are texts, as the YAML reader hands them over."""
    (word,) = [key for key in entry if key in FORMS]
    kind = form_named(word)
    value = entry[word] if isinstance(entry[word], Mapping) else {kind.SHORT: entry[word]}
    keys = RuleKeys.model_validate({key: text for key, text in entry.items() if key != word})
    return make_rule("watched", word, kind.model_validate(value), keys, intervals=intervals or INTERVALS)
