"""file/secret: a secret should not stand in a file.

Why
    Whoever can read the repository, now or later, can use it; and it stays in the history when it is removed.

Bad
    notifiers:
      slack: {slack: {token: xoxb-1234567890-abcdefghijkl, channel: "#oncall"}}

Bad too
    probes:
      shop: {http: {url: https://shop.example.com/health, headers: {Authorization: Bearer abcdef1234567890}}}

Good
    notifiers:
      slack: {slack: {token: "${SLACK_BOT_TOKEN:-xoxb}", channel: "#oncall"}}
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentinel.config.tree import MappingNode, Node, ScalarNode, SequenceNode
from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw

SEVERITY = Severity.WARNING

#: Keys of probes and notifiers whose values are secrets.
_HEADERS = frozenset({"authorization", "proxy-authorization", "x-api-key", "api-key", "x-auth-token", "private-token"})
_KEYS = frozenset({"token", "auth_token", "password", "secret", "bearer", "api_key", "signing_secret", "client_secret"})
_SHORTEST = 6
#: What tokens of well-known services begin with, and private keys.
_TOKENS = re.compile(
    r"\bxox[abprs]-[\w-]{10,}|\bgh[pousr]_\w{20,}|\bglpat-[\w-]{16,}|\bsk_live_\w{16,}|\bAKIA[0-9A-Z]{16}\b|"
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\bhooks\.slack\.com/services/T\w{6,}/B\w{6,}/\w{16,}|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}"
)
_PASSWORD = re.compile(r"://[^\s/:@]*:([^\s/@]+)@")
#: Passwords of examples, which hide nothing.
_PLAIN = frozenset({"***", "x", "password", "postgres", "root", "guest", "sentinel"})


def check(context: Context) -> Iterator[Flaw]:
    """Flag a text under a key that holds secrets, and one that looks like a token or a URL with a password."""
    if context.inspection is None:
        return
    for root in context.inspection.builder.gathered.roots.values():
        yield from _in(root, "")


def _in(node: Node, key: str) -> Iterator[Flaw]:
    if isinstance(node, MappingNode):
        for name, value in node.values.items():
            yield from _in(value, name)
    elif isinstance(node, SequenceNode):
        for item in node.items:
            yield from _in(item, key)
    elif isinstance(node, ScalarNode) and "${" not in node.text and _is_secret(key, node.text):
        fix = 'write "${A_NAME}" or "${file:/run/secrets/a-name}", and make the old one invalid'
        yield Flaw(node, f"{key or 'this'} holds a secret in plain text", fix, secret=True)


def _is_secret(key: str, text: str) -> bool:
    if key in _KEYS or key.lower() in _HEADERS:
        words = text.split()
        return bool(words) and len(words[-1]) >= _SHORTEST and "{{" not in text
    return bool(_TOKENS.search(text)) or bool((found := _PASSWORD.search(text)) and found[1] not in _PLAIN)
