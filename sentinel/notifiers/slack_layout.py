"""How a message looks in Slack: one coloured bar with Block Kit in it, within Slack's limits."""

from __future__ import annotations

from typing import Any

from sentinel.core.severity import Severity
from sentinel.notifiers.message import Message

#: Slack takes 3,000 characters a section and 50 blocks a message, and refuses a whole somewhere above 13,000.
SECTION, BLOCKS, WHOLE, TITLE = 2900, 45, 10_000, 300

_COLOURS = {
    Severity.CRITICAL: "#b3261e",
    Severity.ERROR: "#d9480f",
    Severity.WARNING: "#e0a100",
    Severity.INFO: "#1c6fb8",
}
_SIGNS = {Severity.CRITICAL: "🔴", Severity.ERROR: "🟠", Severity.WARNING: "🟡", Severity.INFO: "🔵"}
_OVER_COLOUR, _OVER_SIGN = "#2e7d32", "✅"


def layout(message: Message) -> dict[str, Any]:
    """Return the arguments of `chat.postMessage` and `chat.update` that make the message's look."""
    over = bool(message.facts.news) and all(alert.over for alert in message.facts.news)
    sign = _OVER_SIGN if over else _SIGNS[message.severity]
    title = shorten(escape(message.title), TITLE)
    blocks = [_section(part) for part in sections(message.body or escape(message.text))]
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": _footer(message)}]})
    colour = _OVER_COLOUR if message.resolved or over else _COLOURS[message.severity]
    return {
        "text": f"{sign} {title}",
        "attachments": [{"color": colour, "blocks": blocks, "fallback": title}],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def sections(body: str) -> list[str]:
    """Return the paragraphs of a body, joined to sections, as many as Slack bears; what is left out is counted."""
    parts: list[str] = []
    paragraphs = [shorten(text.strip(), SECTION) for text in body.split("\n\n") if text.strip()]
    used = 0
    for number, paragraph in enumerate(paragraphs):
        if used + len(paragraph) > WHOLE or len(parts) >= BLOCKS:
            parts.append(f"… and {len(paragraphs) - number} paragraphs more")
            break
        used += len(paragraph) + 2
        if parts and len(parts[-1]) + len(paragraph) + 2 <= SECTION and "Still going on" in paragraph:
            parts[-1] = f"{parts[-1]}\n\n{paragraph}"
        else:
            parts.append(paragraph)
    return parts


def escape(text: str) -> str:
    """Escape what Slack reads as markup, so that no text of ours mentions a channel or forges a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shorten(text: str, longest: int) -> str:
    """Cut a text that is escaped already, never within an entity, a link or a character."""
    if len(text) <= longest:
        return text
    cut = text[: longest - 1]
    for opening, closing in (("&", ";"), ("<", ">")):
        start = cut.rfind(opening)
        if start > cut.rfind(closing):
            cut = cut[:start]
    return f"{cut.rstrip()}…"


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _footer(message: Message) -> str:
    facts = message.facts
    route = f", route {facts.route}" if facts.route else ""
    return shorten(escape(f"Sentinel on {facts.agent}, {facts.at:%Y-%m-%d %H:%M} UTC{route}"), TITLE)
