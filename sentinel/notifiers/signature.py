"""Signatures of webhooks, so that a receiver knows who speaks and whether he said it before.

See the Standard Webhooks specification 1.0.0, https://www.standardwebhooks.com: the signed content is
`{webhook-id}.{webhook-timestamp}.{body}`, the exact bytes that are sent.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime

_PREFIX = "whsec_"


def secret_bytes(secret: str) -> bytes:
    """Return the bytes of a secret.

    Raises:
        ValueError: it is none; the text holds nothing of it.
    """
    try:
        found = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        found = b""
    if not secret.startswith(_PREFIX) or not 24 <= len(found) <= 64:
        raise ValueError('should be whsec_ and 24 to 64 bytes in base64: echo "whsec_$(openssl rand -base64 32)"')
    return found


def signed(id_: str, sent_at: datetime, body: bytes, secrets: Iterable[str]) -> dict[str, str]:
    """Return the headers that go with a body; without secrets, those that tell repetitions apart.

    Args:
        id_: the same in every repetition.
        sent_at: time of this attempt; a receiver refuses what is old.
        body: as it is sent.
        secrets: one, or while they are changed both the new and the old one.
    """
    timestamp = str(int(sent_at.timestamp()))
    content = b".".join((id_.encode(), timestamp.encode(), body))
    signatures = [
        f"v1,{base64.b64encode(hmac.new(secret_bytes(one), content, hashlib.sha256).digest()).decode()}"
        for one in secrets
    ]
    headers = {"webhook-id": id_, "webhook-timestamp": timestamp}
    return {**headers, "webhook-signature": " ".join(signatures)} if signatures else headers
