"""Suspects: what people really did where the YAML parser stumbles; it often stumbles lines later."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: Anywhere in a file that is no YAML: what stands there, what it means, and what to do.
_ANYWHERE = (
    (re.compile(r"^<{7}(?= |$)", re.MULTILINE), "git left a conflict here", "keep one of the two sides"),
    (re.compile(r"^(`{3,}|~{3,})", re.MULTILINE), "a fence of Markdown is no YAML", "remove it"),
    (re.compile(r"^\{[{%].*$", re.MULTILINE), "a template is no YAML", "check what it renders"),
)
#: In the line of an error, or the one before it.
_NEARBY = (
    (
        re.compile("^ *([\u00a0\u2007\u202f\u3000\u200b])", re.MULTILINE),
        "looks like a space and is none",
        "indent with plain spaces",
    ),
    (re.compile(r"^ *(?:- )?[\w-]+(:)(?=[^\s:/])[^:#]*$", re.MULTILINE), 'a blank is missing behind ":"', "add one"),
    (re.compile("^ *(?:- )?[\\w-]+(\uff1a)", re.MULTILINE), 'looks like ":" and is none', "write a plain one"),
    (
        re.compile(r"""[:-] (\{)(?=\w+(?:=|!=|=~|!~)["'])"""),
        "a value that begins with { is not text",
        "put it in quotes",
    ),
    (
        re.compile(r"(?:^ *(?:- )?|[{,] *)[\w.-]+: (\{\{)", re.MULTILINE),
        "a value that begins with {{ is not text",
        "put it in quotes",
    ),
    (re.compile(r": (>)(?= *=? *-?[0-9])"), '">" begins a text of several lines', "write the number without it"),
)
_JSON_COMMENT = re.compile(r"^ *(//|/\*)", re.MULTILINE)
_BLOCK = re.compile(r"[:-] [|>][+-]?[ \t]*\n\Z")
_HASH = re.compile(r"[:,\[{] (#)")
_LAST_WORD = re.compile(r"""["']?[\w-]+["']?\s*\Z""")

#: References to the environment as shells, Compose, Helm and Windows write them.
_VARIABLE = re.compile(r"\$\{?([A-Za-z_]\w*)(?::?[-:]([^}]*))?\}?")
_TEMPLATE_VARIABLE = re.compile(r"(?:\{\{ *(?:\.?\w+\.)*|%)([A-Za-z_]\w*)(?: *\}\}|%)")

Suspect = tuple[str, str, int, int]


def suspect(text: str, problem: str, began: int, at: int) -> Suspect | None:
    """Return what is wrong, what to do, and where, for the first thing that explains an error; None where nothing does.

    Args:
        text: of the file.
        problem: the parser's words.
        began: where what it could not read began.
        at: where it gave up.
    """
    return next(_suspects(text, problem, began, at), None)


def meant_as_mapping(text: str) -> str:
    """Return what to do about a text that was meant as a mapping, "" where it does not look like one."""
    if re.match(r"[\w-]+:[^\s/]", text):
        return 'write a blank behind each ":"'
    return 'write ":" for "="' if re.match(r"[\w-]+ *= *\S", text) else ""


def value_meant(text: str) -> str:
    """Return what to write in place of a value that is no good, where it looks like what others write; else ""."""
    if found := _VARIABLE.fullmatch(text):
        default = f":-{found[2]}" if found[2] else ""
        wanted = f"${{{found[1].upper()}{default}}}"
        return f"write {wanted}" if wanted != text else ""
    if found := _TEMPLATE_VARIABLE.fullmatch(text):
        return f"write ${{{found[1].upper()}}}"
    found = re.fullmatch(r"(?:[<>]=?|==?) *(-?[0-9].*)", text)
    return f"write {found[1]}: the key says which side is meant" if found else ""


def _suspects(text: str, problem: str, began: int, at: int) -> Iterator[Suspect]:
    for pattern, says, fix in _ANYWHERE:
        if found := pattern.search(text):
            yield says, fix, *found.span()
    start = text.rfind("\n", 0, at) + 1
    before = text.rfind("\n", 0, max(start - 1, 0)) + 1
    stop = text.find("\n", at)
    stop = len(text) if stop < 0 else stop
    if text.startswith("{") and (found := _JSON_COMMENT.search(text, 0, stop)):
        yield "a comment begins with #", f"write # in place of {found[1]}", *found.span(1)
    for pattern, says, fix in _NEARBY:
        if found := pattern.search(text, before, stop):
            yield says, fix, *found.span(1)
    if problem == "could not find expected ':'":
        header = text.rfind("\n", 0, began) + 1
        if _BLOCK.search(text, max(header - 200, 0), header):
            yield "the text of a block is not indented", "indent it further than its key", began, began + 1
    quote = text[start:at].rstrip(" ")[-1:]
    if problem == "did not find expected key" and quote and quote in "\"'":
        fix = "write '' for an apostrophe in it" if quote == "'" else 'write \\" for a quote in it, or use the other'
        yield "text follows a closed quote", fix, at, at + 1
    yield from _in_flow(text, problem, began, at)
    if at >= len(text.rstrip()) and (found := _HASH.search(text, before)):
        yield "a comment begins here", "put a value that begins with # in quotes", *found.span(1)


def _in_flow(text: str, problem: str, began: int, at: int) -> Iterator[Suspect]:
    """Yield what is wrong between brackets or braces."""
    if problem.startswith("did not find expected ',' or"):
        closing = problem[-2]
        if text[at - 1 : at] in ("'", '"') and (text[at : at + 1].isalnum() or text[at : at + 1] == "{"):
            fix = "use the other kind of quotes around a text that holds them"
            yield "text follows a closed quote", fix, at, at + 1
        if comment := _HASH.search(text, began, at):
            yield "a comment begins here", "put a value that begins with # in quotes", *comment.span(1)
        if text[at : at + 1] == ":" and "\n" not in text[began:at] and (word := _LAST_WORD.search(text, began, at)):
            fix = f'write "," between entries, and "{closing}" at their end'
            yield 'a "," is missing before this', fix, *word.span()
