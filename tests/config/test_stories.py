"""Stories: what a person writes, and what `sentinel check` says to it."""

from __future__ import annotations

import contextlib
import re
import shlex
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from click import Command
from click.testing import CliRunner

from sentinel.cli.commands import Commands

STORIES = sorted((Path(__file__).parent / "stories").glob("*.txt"))
#: Behind a file's name: its bytes are written as Python would.
ESCAPED = " as escaped"


@dataclass(frozen=True)
class Story:
    """One text file: intent, files, command, output, exit code."""

    intent: str
    files: dict[str, str]
    command: str
    output: str


def unescaped(content: str) -> bytes:
    r"""Return the bytes of a file that a story cannot hold as they are: `\xff`, `\r`, `\t`."""
    return content.encode("ascii").decode("unicode_escape").encode("latin-1")


def read(text: str) -> Story:
    """Part a story's text."""
    before, _, after = text.partition("\n$ ")
    command, _, output = after.partition("\n")
    intent, *parts = re.split(r"^--- (.+)\n", before + "\n", flags=re.MULTILINE)
    files = dict(zip(parts[::2], parts[1::2], strict=True))
    return Story(intent.strip(), files, command, output)


@cache
def command_called(name: str) -> Command:
    """Return a command of ours: Typer takes longer to make one than it takes to run."""
    found: Command = Commands().get_command(None, name)
    return found


def tell(story: Story) -> str:
    """Write the files here, run the command, and return what it said and its exit code."""
    for header, content in story.files.items():
        path = Path(header.removesuffix(ESCAPED))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(unescaped(content) if header.endswith(ESCAPED) else content.encode())
    words = shlex.split(story.command)
    environ = dict(word.split("=", 1) for word in words[: words.index("sentinel")])
    command, *arguments = words[words.index("sentinel") + 1 :]
    result = CliRunner().invoke(command_called(command), arguments, env=environ)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return f"{result.stdout}{result.stderr}exit {result.exit_code}\n"


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_check_says(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each story ends as it is told."""
    story = read(path.read_text())
    assert story.intent
    monkeypatch.chdir(tmp_path)
    assert tell(story) == story.output


def retell() -> None:
    """Write what each story's command says now; the difference is to be read before it is committed."""
    for path in STORIES:
        text = path.read_text()
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            path.write_text(text.removesuffix(read(text).output) + tell(read(text)))


if __name__ == "__main__":
    retell()
