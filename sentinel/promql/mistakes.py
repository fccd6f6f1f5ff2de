"""What people mean who write something that is no PromQL: the proposals in error messages."""

from __future__ import annotations

import re

from sentinel.core.errors import QueryInvalid
from sentinel.core.quantity import UNIT_OF_WORD

#: What other languages, dashboards and word processors write.
_SIGNS = {
    "&&": "write `and`",
    "||": "write `or`",
    "|": "a pipe is LogQL, which asks Loki; lines of logs are not read here",
    "&": "write `and`",
    "~=": "write =~",
    "~": "write =~ for a regular expression",
    "!": "write != or !~; for the opposite of a series, unless or absent()",
    "$": "variables of a dashboard are not known here; write the value, such as 5m",
    **dict.fromkeys("\u201c\u201d\u201e\u2018\u2019", "quote with \" or '"),
    ";": "an expression has no end mark; remove it",
    **dict.fromkeys("\u00a0\u2007\u202f\u200b\u3000\ufeff", "it looks like a space and is none; write a plain one"),
    **dict.fromkeys("\u2013\u2014\u2212", "write -"),
    **dict.fromkeys("\u2264\u2265\u2260", "write <=, >= or !="),
}
#: What web pages write for signs.
_ENTITY = re.compile(r"&(gt|lt|amp|quot);")
_ENTITIES = {"gt": ">", "lt": "<", "amp": "and", "quot": '"'}
_UNIT_OF = {**UNIT_OF_WORD, "year": "y", "years": "y", **{unit: unit for unit in ("ms", "s", "m", "h", "d", "w", "y")}}
_SIZES = "kmgt"

#: Words that stand after an expression by mistake.
_WORDS = {
    "by": "write it beside an aggregation: sum by (job) (\u2026)",
    "without": "write it beside an aggregation: sum without (pod) (\u2026)",
    "group": "write sum by (job) (\u2026)",
    "bool": "write it behind the comparison: == bool 0",
    "for": "`for` is a key of the rule, beside its expression",
    "if": "a comparison such as x > 5 is the condition itself",
    "where": 'conditions on labels stand in braces: x{job="shop"}',
    "is": "compare with ==",
    "not": "write unless, or !=",
    "select": "a database is asked by a probe of the kind sql; this is PromQL",
    "default": "that is MetricsQL; write x or vector(0)",
}
#: What functions are called elsewhere.
_FUNCTIONS = {
    "mean": "write avg",
    "average": "write avg",
    "mean_over_time": "write avg_over_time",
    "median": "write quantile(0.5, x)",
    "percentile": "write quantile(0.95, x)",
    "len": "write count",
    "length": "write count",
    "size": "write count",
    "coalesce": "write x or vector(0)",
    "ifnull": "write x or vector(0)",
    "isnull": "write absent(x)",
    "exists": "write count(x), or absent(x) for the opposite",
    "not": "write unless, or absent(x)",
    "like": "write =~ in braces",
    "diff": "write delta",
    "now": "write time()",
    "distinct": "write count(count by (job) (x))",
    "by": "behind an operator write on (\u2026)",
    "ignoring": "write one of on and ignoring",
    "on": "write one of on and ignoring",
    "derivative": "write deriv",
    "increment": "write increase",
}
_OPERATORS = frozenset(("+", "-", "*", "/", "%", "^", "==", "!=", "<", "<=", ">", ">=", "and", "or", "unless"))


def unread_sign(text: str, at: int) -> str:
    """Return a proposal for a character that nothing begins with."""
    if entity := _ENTITY.match(text, at):
        return f"write {_ENTITIES[entity[1]]}"
    if sign := _SIGNS.get(text[at : at + 2]) or _SIGNS.get(text[at]):
        return sign
    if not (rest := re.match(r"[^\W\d][\w:.]*", text[at:])):
        return ""
    before = re.split(r"[^\w:.]", text[:at])[-1]
    name = f'"{before}{rest.group()}"'
    return f"a name with other letters is quoted: {{{name}}}, or by ({name}) where it is a label's"


def unread_number(text: str, at: int, number: str) -> str:
    """Return a proposal for what begins as a number and is none."""
    if number.startswith(".") and (name := re.search(r"[a-zA-Z_:][\w:]*$", text[:at])):
        return f'a name with dots is quoted, in braces: {{"{name.group()}{number}"}}'
    if parts := re.fullmatch(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([a-zA-Z]+)", number):
        count, unit = parts[1], parts[2].lower()
        if unit in _UNIT_OF:
            return f"write {_whole(count, _UNIT_OF[unit])}"
        if size := re.fullmatch(rf"([{_SIZES}])(i?)b?", unit):
            power = _SIZES.index(size[1]) + 1
            return f"numbers have no unit; write {count}" + (f" * 1024^{power}" if size[2] else f"e{3 * power}")
    if re.fullmatch("[0-9.]+[eE]", number):
        return "write how many zeros follow: 1e3 is 1000"
    return "durations are written 30s, 5m, 1h30m, 7d"


def amount_meant(text: str) -> str:
    """Return a proposal for an amount of time as people say it, such as 5 minutes; "" where it is none."""
    parts = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([a-zA-Z]+)", text)
    if open_end := re.fullmatch(r"((?:[0-9]+[hm])*[0-9]+([hm]))([0-9]+)", text):
        return f"write {text}{'m' if open_end[2] == 'h' else 's'}"
    unit = _UNIT_OF.get(parts[2].lower()) if parts else None
    return f"write {_whole(parts[1], unit)}" if parts and unit else ""


def _whole(count: str, unit: str) -> str:
    """Write an amount of time without a fraction: 1.5h is 90m."""
    smaller = {"y": ("d", 365), "w": ("d", 7), "d": ("h", 24), "h": ("m", 60), "m": ("s", 60), "s": ("ms", 1000)}
    while "." in count and unit in smaller:
        unit, factor = smaller[unit]
        count = f"{float(count) * factor:g}"
    return f"{count}{unit}"


def unknown_function(name: str) -> str:
    """Return a proposal for a function by the name that it has elsewhere, "" if none is known."""
    return _FUNCTIONS.get(name.lower(), "")


def stray_comma(before: str, after: str) -> str:
    """Return a proposal for a comma behind a number."""
    if re.fullmatch("[0-9]{3}", after) and not before.startswith("0"):
        return f"a number has no commas: {before}{after}, or {before}_{after}"
    if not after:
        return "remove it"
    return f"write {before}.{after}" if after.isdigit() else ""


def comment_before_the_end(text: str, end: int, wrong: int) -> QueryInvalid | None:
    """Return the error that a comment hides what follows it, where a text in one line ends with one too early.

    Args:
        text: of the expression.
        end: where what is no comment ends.
        wrong: where another error was found; before the end it stands for itself.
    """
    at = re.compile(r"(?:^|\s)#").search(text, max(end - 1, 0))
    if at is None or wrong < end or "\n" in text.rstrip("\n"):
        return None
    fix = "all behind a # is a comment; a folded text (>) is one line: write |"
    return QueryInvalid("a comment hides what follows it", at.end() - 1, at.end(), fix)


def operator_meant(found: str, label: str) -> str:
    """Return a proposal for what stands between a label and its value in place of an operator."""
    if found in (">", ">=", "<", "<="):
        return f'labels are texts, which have no order; write {label}=~"5.."'
    if found == "-":
        return f"a label has no - in its name; write {label}_…"
    return {"==": "write =", "in": f'write {label}=~"a|b"', ":": "write =", "like": "write =~"}.get(found, "")


def pattern_meant(text: str) -> str:
    """Return a proposal for what is no regular expression."""
    if "(?" in text:
        return "RE2 looks neither ahead nor behind; write !~ and what is not meant"
    return f"write .* for anything: .{text}" if text.startswith("*") else ""


def stray_word(word: str) -> str:
    """Return a proposal for a word after an expression, "" if none is known."""
    return _WORDS.get(word, "")


def missing_operand(before: str, found: str) -> str:
    """Return a proposal where an operand is missing between two signs or words."""
    if (before, found) == ("<", ">"):
        return "write !="
    if (before, found) == ("/", "/"):
        return "a comment begins with #"
    if found == "=":
        return "compare with =="
    if before in ("and", "or", "unless") and found in ("<", "<=", ">", ">=", "==", "!="):
        return "repeat what is compared: x < 1 or x > 5"
    if before == "%" and not found:
        return "% is the remainder; 5% is written 0.05"
    if before in _OPERATORS and found in _OPERATORS:
        return "one of the two is too many"
    if before in _OPERATORS and not found:
        return "say what stands on its right"
    return ""
