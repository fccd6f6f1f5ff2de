"""A client that shows a token of OAuth 2 (RFC 6749, client credentials): fetched, kept while it lives, and renewed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

from sentinel.core.errors import ProbeFailed
from sentinel.probes.base import Look
from sentinel.probes.extract import shown
from sentinel.probes.web.client import Answer, Client
from sentinel.probes.web.target import OAuth2, ProbeAuth, WebTarget

#: Of the token server's answer.
_BODY_LIMIT = 256 * 1024
#: A token is renewed so long before it ends, that it does not end under way.
_MARGIN = timedelta(seconds=30)
#: How long a token lives that does not say.
_LIFE_SECONDS = 300.0


class Authorised(Client):
    """Asks with a token; one that the target refuses before its end is renewed once."""

    def __init__(self, target: WebTarget, defaults: Mapping[str, str], oauth2: OAuth2) -> None:
        super().__init__(target, defaults)
        self._oauth2 = oauth2
        self._token, self._ends = "", datetime.min.replace(tzinfo=UTC)
        user, password = quote(oauth2.client_id, ""), quote(oauth2.client_secret.get_secret_value(), "")
        server = WebTarget(
            url=oauth2.token_url,
            headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
            auth=ProbeAuth.model_validate({"basic": {"username": user, "password": password}}),
            tls=target.tls,
            proxy=target.proxy,
        )
        self._server = Client(server, {})

    async def close(self) -> None:
        """Close what is open."""
        await self._server.close()
        await super().close()

    async def ask(
        self,
        look: Look,
        method: str,
        url: str,
        content: bytes | None,
        limit: int,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request with a token.

        Raises:
            ProbeFailed: there is no token to be had, or as `Client.ask`.
        """
        kept = bool(self._token) and look.now < self._ends
        if not kept:
            await self._fetch(look)
        answer = await super().ask(look, method, url, content, limit, {**(headers or {}), **self._header})
        if answer.status == 401 and kept:
            await self._fetch(look)
            answer = await super().ask(look, method, url, content, limit, {**(headers or {}), **self._header})
        return answer

    @property
    def _header(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    async def _fetch(self, look: Look) -> None:
        asked = {"grant_type": "client_credentials", **self._oauth2.endpoint_params}
        if self._oauth2.scopes:
            asked["scope"] = " ".join(self._oauth2.scopes)
        self._token = ""
        try:
            url, content = self._oauth2.token_url, urlencode(asked).encode()
            answer = await self._server.ask(look, "POST", url, content, _BODY_LIMIT)
        except ProbeFailed as exc:
            raise ProbeFailed(exc.reason, f"no token: {exc.words}") from exc
        if answer.status != 200:
            raise ProbeFailed("auth", f"no token: {self._server.wire.peer} says {answer.status}: {shown(answer.body)}")
        try:
            said = json.loads(answer.body)
            token, life = str(said["access_token"]), float(said.get("expires_in", _LIFE_SECONDS))
            self._ends = look.now + timedelta(seconds=life) - _MARGIN
        except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
            # What came may hold a token all the same, so it is not shown.
            raise ProbeFailed("auth", f"no token: {self._server.wire.peer} answers without access_token") from None
        self._token = token
