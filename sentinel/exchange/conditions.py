"""Conditions of Gatus: `[STATUS] == 200` and its kin, as what a probe expects and as rules."""

from __future__ import annotations

import json
import re
from typing import Any

from sentinel.exchange.draft import Draft, duration
from sentinel.exchange.given import Given

_CONDITION = re.compile(r"\s*(.+?)\s*(==|!=|<=|>=|<|>)\s*(.*?)\s*")
_FUNCTION = re.compile(r"(len|has)\((.*)\)")
_BODY = re.compile(r"\[BODY\](?:\.?(.*))?")
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])?")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}
#: What a condition speaks of, by its placeholder; the others are of the body.
_WHAT = {
    "[STATUS]": "status",
    "[RESPONSE_TIME]": "time",
    "[CONNECTED]": "connected",
    "[CERTIFICATE_EXPIRATION]": "certificate",
    "[DNS_RCODE]": "rcode",
}
_ANY_STATUS = "100-599"


class Conditions:
    """What an endpoint expects, sorted by who can say it here."""

    def __init__(self, draft: Draft, given: list[Given], name: str) -> None:
        self.draft, self.name = draft, name
        self.status: tuple[list[str], int, int] = ([], 100, 599)
        self.asks_status = False
        self.expect: dict[str, Any] = {}
        self.json: dict[str, Any] = {}
        self.seconds: float | None = None
        self.certificate: tuple[float, Given] | None = None
        self.rcode = ""
        self.taken: dict[str, list[Given]] = {}
        for one in given:
            self._take(one)

    def http(self) -> dict[str, Any]:
        """Return `expect` of the kind http."""
        expect: dict[str, Any] = {"status": self._status()}
        expect |= self.within() | self.expect
        return expect | ({"json": self.json} if self.json else {})

    def within(self) -> dict[str, str]:
        """Return how long an answer may take."""
        return {"within": duration(self.seconds)} if self.seconds else {}

    def dns(self) -> dict[str, Any]:
        """Return what the kind dns expects."""
        keys = {"rcode": self.rcode} if self.rcode and self.rcode != "NOERROR" else {}
        return keys | ({"contains": [self.pattern()]} if self.pattern() else {})

    def pattern(self) -> str:
        """Return the pattern that the body has, "" where there is none."""
        return str(self.expect.get("body", ""))

    def keep(self, kind: str, *kept: str) -> None:
        """Note each condition that a kind of probe cannot hold: all but those on what is kept."""
        for what, conditions in self.taken.items():
            for one in conditions if what not in kept else ():
                self.draft.note(one, f"{self.name}: the condition {one.text()} cannot be said of {kind}")
        if "certificate" not in kept:
            self.certificate = None

    def rules(self, probe: str, notify: list[str]) -> None:
        """Write the rule on the certificate, where there is one."""
        if self.certificate is None:
            return
        seconds, given = self.certificate
        rule = {
            "certificate": probe,
            "below": duration(seconds),
            "severity": "warning",
            "summary": f"the certificate of {probe} ends in {{{{ value }}}}",
        }
        name = self.draft.add("rules", f"{probe}-certificate", rule, given)
        if notify:
            self.draft.add("routes", name, {"match": {"rule": name}, "notify": list(dict.fromkeys(notify))}, given)

    def _status(self) -> str | int | list[str | int]:
        if not self.asks_status:
            return _ANY_STATUS
        words, least, most = self.status
        found: list[str | int] = [int(word) if word.isdigit() else word for word in words]
        if not found:
            found = [least] if least == most else [f"{least}-{most}"]
        return found[0] if len(found) == 1 else found

    def _take(self, given: Given) -> None:
        text = given.text()
        found = _CONDITION.fullmatch(text)
        if not found or not self._sorted(found[1], found[2], found[3], given):
            self.draft.note(given, f"{self.name}: the condition {text} cannot be said here")
            return
        what = _WHAT.get(found[1]) or ("json" if found[1] not in ("[BODY]", "len([BODY])") else "body")
        self.taken.setdefault(f"no {what}" if (what, found[2]) == ("body", "!=") else what, []).append(given)

    def _sorted(self, left: str, op: str, right: str, given: Given) -> bool:
        match left:
            case "[STATUS]":
                return self._take_status(op, right)
            case "[RESPONSE_TIME]":
                length = _LENGTH.fullmatch(right)
                if op not in ("<", "<=") or not length:
                    return False
                limit = float(length[1]) * _SECONDS[length[2] or "ms"]
                self.seconds = min(self.seconds or limit, limit)
                return True
            case "[CONNECTED]":
                return (op, right) == ("==", "true")
            case "[CERTIFICATE_EXPIRATION]":
                length = _LENGTH.fullmatch(right)
                if not length or not length[2] or op not in (">", ">="):
                    return False
                self.certificate = float(length[1]) * _SECONDS[length[2]], given
                return True
            case "[DNS_RCODE]":
                self.rcode = right
                return op == "=="
        return self._body(left, op, right)

    def _take_status(self, op: str, right: str) -> bool:
        words, least, most = self.status
        listed = re.fullmatch(r"any\((.*)\)", right)
        numbers = [part.strip() for part in (listed[1].split(",") if listed else [right])]
        if not all(re.fullmatch(r"[1-5]\d\d|600", part) for part in numbers):
            return False
        self.asks_status = True
        number = int(numbers[0])
        match op:
            case "==":
                words = [*words, *numbers]
            case "<" | "<=":
                most = min(most, number - (op == "<"))
            case ">" | ">=":
                least = max(least, number + (op == ">"))
            case _:
                words = [f"100-{number - 1}", f"{number + 1}-599"] if 100 < number < 599 else words
        self.status = words, least, most
        return True

    def _body(self, left: str, op: str, right: str) -> bool:
        function = _FUNCTION.fullmatch(left)
        body = _BODY.fullmatch(function[2] if function else left)
        if not body:
            return False
        path = _jmespath((body[1] or "").strip("."))
        if function and function[1] == "has":
            self.json[f"{path} != `null`"] = (right.lower() == "true") is (op == "==")
            return bool(path) and op in ("==", "!=")
        if function and not path:
            return self._size(op, right)
        if function:
            return self._compared(f"length({path})", op, right)
        if not path:
            return self._whole_body(op, right)
        return self._compared(path, op, right)

    def _size(self, op: str, right: str) -> bool:
        """Take the length of the whole body; Gatus counts the items, where it is a list of JSON."""
        if not right.isdigit() or op == "!=":
            return False
        number, size = int(right), self.expect.setdefault("size", {})
        if op in ("==", ">", ">="):
            size["at_least"] = number + (op == ">")
        if op in ("==", "<", "<="):
            size["at_most"] = max(number - (op == "<"), 0)
        return True

    def _compared(self, path: str, op: str, right: str) -> bool:
        """Hold a field against a value: equal ones by themselves, all else by JMESPath's own comparison."""
        if glob := re.fullmatch(r"pat\((.*)\)", right):
            return self._like(path, op, glob[1])
        if listed := re.fullmatch(r"any\((.*)\)", right):
            values = ", ".join(f"`{json.dumps(_value(part.strip()))}`" for part in listed[1].split(","))
            self.json[f"contains([{values}], {path})"] = op == "=="
            return op in ("==", "!=")
        if op == "==":
            self.json[path] = _value(right)
        else:
            self.json[f"{path} {op} `{json.dumps(_value(right))}`"] = True
        return True

    def _like(self, path: str, op: str, glob: str) -> bool:
        """Say what a field looks like: `*` may stand at its ends."""
        word = glob.strip("*")
        if op not in ("==", "!=") or "*" in word or "?" in word:
            return False
        quoted = json.dumps(word).replace("`", "\\`")
        function = {(True, True): "contains", (False, True): "starts_with", (True, False): "ends_with"}
        name = function.get((glob.startswith("*"), glob.endswith("*")))
        self.json[f"{name}({path}, `{quoted}`)" if name else f"{path} == `{quoted}`"] = op == "=="
        return True

    def _whole_body(self, op: str, right: str) -> bool:
        if op not in ("==", "!="):
            return False
        listed = re.fullmatch(r"any\((.*)\)", right)
        parts = [part.strip() for part in listed[1].split(",")] if listed else [right]
        pattern = "|".join(_pattern(part) for part in parts)
        key = "body" if op == "==" else "body_not"
        if key in self.expect:
            return False
        self.expect[key] = pattern
        return True


def _pattern(text: str) -> str:
    """Return a glob in pat(…), or a text, as a pattern that is found in the body."""
    if not (glob := re.fullmatch(r"pat\((.*)\)", text)):
        return f"^\\s*{_escaped(text)}\\s*$"
    begin = "" if glob[1].startswith("*") else "^"
    end = "" if glob[1].endswith("*") else "$"
    return begin + ".*".join(map(_escaped, glob[1].strip("*").split("*"))) + end


def _escaped(text: str) -> str:
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text)


def _jmespath(path: str) -> str:
    """Return a path with each name that JMESPath would not read in quotes."""
    parts = re.findall(r"\[[^\]]*\]|[^.\[\]]+", path)
    written = ""
    for part in parts:
        if part.startswith("["):
            written += part
        else:
            name = part if re.fullmatch(r"[A-Za-z_]\w*", part) else json.dumps(part)
            written += f".{name}" if written else name
    return written


def _value(text: str) -> Any:
    """Return a value of a condition: a number, a truth, or a text, in quotes or not."""
    text = text.strip()
    if re.fullmatch(r"-?\d+(\.\d+)?", text):
        return json.loads(text) if not re.match(r"-?0\d", text) else text
    if text in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[text]
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
