"""A webhook's receiver, as the Standard Webhooks specification wants one: it verifies, and takes each id once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
from collections.abc import Mapping
from typing import Any

from tests.receivers.http import HttpReceiver, Request


class WebhookServer(HttpReceiver):
    """Keeps what it was sent.

    Attributes:
        taken: the bodies by `webhook-id`, the first of each.
        repeated: how many came again under an id that was there.
        secret: `whsec_…`; "" takes what is not signed.
    """

    def __init__(self, secret: str = "", tls: ssl.SSLContext | None = None) -> None:
        self.taken: dict[str, Any] = {}
        self.repeated = 0
        self.secret = secret
        super().__init__(tls)

    @property
    def bodies(self) -> list[Any]:
        """What was taken, oldest first."""
        return list(self.taken.values())

    def answer(self, request: Request) -> tuple[int, Mapping[str, str], Any]:
        """Verify and take it."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        if self.secret and not _verified(headers, request.body, self.secret):
            return 401, {}, {"error": "signature does not match"}
        id_ = headers["webhook-id"]
        if id_ in self.taken:
            self.repeated += 1
        else:
            try:
                self.taken[id_] = json.loads(request.body)
            except ValueError:
                self.taken[id_] = request.body.decode()
        return 200, {}, {}


def _verified(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Say whether one of the signatures is this secret's."""
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    made = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), content, hashlib.sha256).digest()
    wanted = f"v1,{base64.b64encode(made).decode()}"
    return any(hmac.compare_digest(wanted, one) for one in headers.get("webhook-signature", "").split(" "))
