"""Listening: may we, and can we? Asked before anything else begins, and without a web framework."""

from __future__ import annotations

import socket

from sentinel.core.address import Address
from sentinel.core.errors import SentinelError
from sentinel.settings import Settings, SettingsInvalid
from sentinel.web.tokens import tokens_of


class PortTaken(SentinelError):
    """The address cannot be listened on; the text says which and why."""


def listen(address: Address) -> socket.socket:
    """Bind the address, before anything else begins.

    Raises:
        PortTaken: somebody else has it, or it is not ours to have.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((address.host, address.port))
        bound.listen(512)
    except (OSError, OverflowError) as exc:
        bound.close()
        why = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        raise PortTaken(
            f"cannot listen on {address}: {why}; stop what has it, or set SENTINEL_LISTEN to another address"
        ) from exc
    return bound


def allowed(settings: Settings) -> None:
    """Refuse an address that others reach while nothing says who may ask.

    Raises:
        SettingsInvalid: it is not loopback, and there is neither a token nor leave to do without; or a token cannot be
            used.
    """
    if not tokens_of(settings) and not settings.address.loopback and settings.auth != "none":
        raise SettingsInvalid(
            f"SENTINEL_LISTEN: {settings.address} can be reached from outside; set SENTINEL_TOKEN, or "
            "SENTINEL_AUTH=none if something before it says who may ask"
        )
