"""Where a service listens, in one word: `db.internal:5432`, `[::1]:25`."""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple

from pydantic import AfterValidator

_ADDRESS = re.compile(r"(?:\[([0-9a-fA-F:.%\w]+)\]|([^\s:/\[\]@]+))(?::(\d{1,5}))?")


class Place(NamedTuple):
    """A host and a port, 0 where none is named."""

    host: str
    port: int


def place(address: str) -> Place:
    """Read an address.

    Raises:
        ValueError: it is none.
    """
    if not (found := _ADDRESS.fullmatch(address)) or int(found[3] or 0) > 65535:
        raise ValueError(f'"{address}" is not an address such as db.internal:5432 or [::1]:5432')
    return Place(found[1] or found[2], int(found[3] or 0))


def _address(text: str) -> str:
    place(text)
    return text


def _with_port(text: str) -> str:
    if not place(text).port:
        raise ValueError(f'"{text}" has no port; write {text}:5432')
    return text


#: `host`, `host:port`, `[address of IPv6]:port`.
Address = Annotated[str, AfterValidator(_address)]
#: One that must name a port.
AddressWithPort = Annotated[str, AfterValidator(_with_port)]
