"""Lines in bytes: where they end, and what their text is, in any encoding in which a newline is a newline."""

from __future__ import annotations

import codecs
from typing import Annotated

from pydantic import AfterValidator

from sentinel.probes.logs.place import Opened

#: Bytes that are read at a time; a line that is longer is cut.
BLOCK = 1024 * 1024


def _name(name: str) -> str:
    try:
        width = len(codecs.lookup(name).encode("\n")[0])
    except (LookupError, UnicodeError, TypeError):
        raise ValueError(f'"{name}" is not an encoding of text: utf-8, latin-1, utf-16-le, …') from None
    if codecs.encode("\n\n", name) != 2 * codecs.encode("\n", name) or width not in (1, 2, 4):
        raise ValueError(f'"{name}" does not say in which order bytes are; write {name}-le or {name}-be')
    return name


#: The name of an encoding.
EncodingName = Annotated[str, AfterValidator(_name)]


class Encoding:
    """Lines of an encoding.

    Args:
        name: of the encoding.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._newline = "\n".encode(name)

    def after_newline(self, block: bytes, *, last: bool) -> int:
        """Return how many bytes there are up to and with the last, or the first, newline; 0 if there is none."""
        width, at = len(self._newline), -1
        find = block.rfind if last else block.find
        at = find(self._newline)
        while at > 0 and at % width:  # halves of two letters may look like one newline
            at = block.rfind(self._newline, 0, at + width - 1) if last else block.find(self._newline, at + 1)
        return at + width if at >= 0 else 0

    def lines(self, block: bytes) -> list[str]:
        """Return the lines; what is no text of this encoding is shown as �."""
        text = block.decode(self._name, errors="replace").lstrip("\ufeff\0")
        lines = text.split("\n")
        if not lines[-1]:
            lines.pop()
        return [line.removesuffix("\r") for line in lines] if "\r" in text else lines

    def end(self, file: Opened) -> int:
        """Return where the last whole line of a file ends."""
        width = len(self._newline)
        start = max(0, file.size - BLOCK) // width * width
        whole = self.after_newline(file.read(start, file.size - start), last=True)
        return start + whole if whole or not start else file.size
