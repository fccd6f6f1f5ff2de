"""What people mean who write something that is no PromQL: the proposals in error messages."""

from __future__ import annotations

import re

#: What other languages, dashboards and word processors write.
_SIGNS = {
    "&&": "write `and`",
    "||": "write `or`",
    "~=": "write =~",
    "!": "write != or !~; for the opposite of a series, unless or absent()",
    "$": "variables of a dashboard are not known here; write the value, such as 5m",
    **dict.fromkeys("\u201c\u201d\u201e\u2018\u2019", "quote with \" or '"),
    ";": "an expression has no end mark; remove it",
}
_UNITS = {
    "ms": ("msec", "millis", "millisecond", "milliseconds"),
    "s": ("sec", "secs", "second", "seconds"),
    "m": ("min", "mins", "minute", "minutes"),
    "h": ("hr", "hrs", "hour", "hours"),
    "d": ("day", "days"),
    "w": ("week", "weeks"),
    "y": ("year", "years"),
}
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in (unit, *words)}
_SIZES = "kmgt"

#: Words that stand after an expression by mistake.
_WORDS = {
    "by": "write it beside an aggregation: sum by (job) (\u2026)",
    "without": "write it beside an aggregation: sum without (pod) (\u2026)",
    "group": "write sum by (job) (\u2026)",
    "for": "`for` is a key of the rule, beside its expression",
    "if": "a comparison such as x > 5 is the condition itself",
    "where": 'conditions on labels stand in braces: x{job="shop"}',
    "is": "compare with ==",
    "not": "write unless, or !=",
}


def unread_sign(text: str, at: int) -> str:
    """Return a proposal for a character that nothing begins with."""
    return _SIGNS.get(text[at : at + 2]) or _SIGNS.get(text[at], "")


def unread_number(text: str, at: int, number: str) -> str:
    """Return a proposal for what begins as a number and is none."""
    if number.startswith(".") and (name := re.search(r"[a-zA-Z_:][\w:]*$", text[:at])):
        return f'a name with dots is quoted, in braces: {{"{name.group()}{number}"}}'
    if parts := re.fullmatch(r"([0-9.]+)([a-zA-Z]+)", number):
        count, unit = parts[1], parts[2].lower()
        if unit in _UNIT_OF:
            return f"write {count}{_UNIT_OF[unit]}"
        if size := re.fullmatch(rf"([{_SIZES}])(i?)b?", unit):
            power = _SIZES.index(size[1]) + 1
            return f"numbers have no unit; write {count}" + (f" * 1024^{power}" if size[2] else f"e{3 * power}")
    return "durations are written 30s, 5m, 1h30m, 7d"


def stray_word(word: str) -> str:
    """Return a proposal for a word after an expression, "" if none is known."""
    return _WORDS.get(word, "")


def missing_operand(before: str, found: str) -> str:
    """Return a proposal where an operand is missing between two signs or words."""
    if (before, found) == ("<", ">"):
        return "write !="
    if found == "=":
        return "compare with =="
    if before in ("and", "or", "unless") and found in ("<", "<=", ">", ">=", "==", "!="):
        return "repeat what is compared: x < 1 or x > 5"
    if before == "%" and not found:
        return "% is the remainder; 5% is written 0.05"
    return ""
