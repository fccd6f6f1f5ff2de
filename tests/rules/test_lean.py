"""Checking rules needs no numpy: `sentinel check` stays quick."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("numpy", "sqlmodel", "sqlalchemy", "httpx", "fastapi", "slack_sdk", "sentry_sdk")

CHECK = f"""
import sys
from sentinel.rules import FORMS, RuleKeys, form_named, make_rule
for name in FORMS:
    form_named(name)
last = form_named("last").model_validate({{"of": "depth"}})
keys = RuleKeys.model_validate({{"above": "5", "severity": "error", "summary": "{{{{ value }}}}"}})
print(make_rule("deep", "last", last, keys).compiled.expr)
print([name for name in {HEAVY} if name in sys.modules])
"""


def test_a_rule_is_made_without_anything_heavy() -> None:
    answer = subprocess.run([sys.executable, "-c", CHECK], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines() == ["depth", "[]"]
