"""What the YAML parser says, in words of ours: what is wrong, where it begins, and what to write instead."""

from __future__ import annotations

import yaml

from sentinel.core.problem import Edit

#: The parser's words, what they mean, and what to do; "" leaves the parser's own.
_MEANINGS = {
    "mapping values are not allowed in this context": (
        'a ":" stands where no key can be',
        'put a value that holds ": " in quotes, or look at the indentation',
    ),
    "could not find expected ':'": ('a ":" is missing behind a key', "write key: value, one a line"),
    "did not find expected key": ("a key was expected here", "look at the indentation and at quotes that end early"),
    "did not find expected '-' indicator": ('a "- " was expected here', "indent what belongs to the item above"),
    "did not find expected ',' or ']'": ("the list is not closed", 'write "," between its items and "]" at its end'),
    "did not find expected ',' or '}'": (
        "the mapping is not closed",
        'write "," between its entries and "}" at its end',
    ),
    "did not find expected <document start>": (
        "this belongs to nothing above",
        "a file is one mapping: look at the indentation",
    ),
    "did not find expected comment or line break": ("nothing may follow here", "begin the text on the next line"),
    "found unknown escape character": (
        "there is no such escape in double quotes",
        "write \\\\ for a backslash, or use single quotes",
    ),
    "found incompatible YAML document": ("this version of YAML is not read", "remove the line"),
    "did not find expected node content": ("a value is missing here", "write one, or close the brackets"),
    "did not find expected hexdecimal number": ("the escape is not complete", "use single quotes"),
}
_UNCLOSED = ("the quote is never closed", "write a quote of the same kind at the end")


class Malformed(Exception):
    """A text that is not YAML, or not the YAML that is read here.

    Args:
        says: what is wrong.
        fix: what to do about it, or "".
        begin: offset in the file of what it is about.
        end: offset one past its end; one character where it is not known.
        check: name of the check; what is no error has one of its own.
        edit: what would mend it.
    """

    def __init__(
        self,
        says: str,
        fix: str,
        begin: int,
        end: int | None = None,
        check: str = "file/yaml",
        edit: Edit | None = None,
    ) -> None:
        self.says, self.fix, self.begin, self.end, self.check, self.edit = says, fix, begin, end, check, edit
        super().__init__(says)


def explain(error: yaml.YAMLError, text: str) -> Malformed:
    """Translate an error of the YAML parser."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return Malformed("is not YAML", "", 0)
    from sentinel.config.suspects import suspect  # what is well does not wait for its patterns

    at = error.problem_mark.index
    began = error.context_mark.index if error.context_mark else at
    problem, context = error.problem or "", error.context or ""
    character = text[at : at + 1]
    if "quoted scalar" in context and "unexpected" in problem:
        return Malformed(*_UNCLOSED, began)
    if character == "\t" or (problem.startswith("found character that cannot") and "\t" in text[at - 1 : at + 1]):
        return Malformed("a tab cannot indent YAML", "use spaces", at)
    if (found := suspect(text, problem, began, at)) is not None:
        return Malformed(*found)
    if "scanning an alias" in context or "scanning an anchor" in context:
        return Malformed(f'"{text[began]}" has a meaning of its own here', "put the value in quotes", began)
    if problem == "found character that cannot start any token":
        return Malformed(f'a value cannot begin with "{character}"', "put it in quotes", at)
    says, fix = _MEANINGS.get(problem, (problem or "is not YAML", ""))
    return Malformed(says, fix, began if says.endswith("not closed") else at)
