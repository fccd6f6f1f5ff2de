"""The tree that the agent follows: loaded whole, compared, swapped at once; what is bad leaves what runs as it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path

import structlog

from sentinel.agent.view import Reload
from sentinel.agent.watch import changes
from sentinel.config.config import Config
from sentinel.config.files import read_files
from sentinel.config.load import load, load_texts, refuses_empty
from sentinel.config.render import as_line, as_text, tally
from sentinel.core.clock import Clock
from sentinel.core.errors import ConfigInvalid, StoreUnavailable
from sentinel.core.problem import Problem
from sentinel.core.revision import Revision
from sentinel.settings import Settings

log = structlog.get_logger()


class Tree:
    """What stands in the files, and what runs of it.

    Args:
        settings: say which files, and the agent's name.
        environ: what `${NAME}` stands for.
        clock: says when it was loaded.
        reloaded: called after each attempt to load it anew.
    """

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        clock: Clock,
        reloaded: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings, self._environ, self._clock, self._reloaded = settings, environ, clock, reloaded
        self._tried: object = None
        self._turn = asyncio.Lock()
        self.config: Config | None = None
        self.reload = Reload(clock.now(), ok=False, why="not loaded yet")
        self.loaded_at: datetime | None = None

    def begin(self, last_good: Revision | None) -> Config:
        """Load the tree for the first time; where it is bad, what was last good.

        Raises:
            ConfigInvalid: it is bad, and nothing was ever good.
        """
        before = self._last_good(last_good)
        self._tried = self._texts()
        try:
            self._took(self._load(before))
        except ConfigInvalid as exc:
            if before is None:
                raise
            self._refused(exc.problems, before)
            self.config = before
        assert self.config is not None
        return self.config

    async def follow(self, swap: Callable[[Config], Awaitable[None]]) -> None:
        """Follow the files until cancelled."""
        async for _ in changes(self._settings.paths):
            try:
                await self.look(swap)
            except Exception:  # whatever a file system may do: monitoring goes on, and the next look comes
                log.exception("the tree could not be looked at")

    async def look(self, swap: Callable[[Config], Awaitable[None]], *, anyhow: bool = False) -> Reload:
        """Load the tree if its content has changed (or `anyhow`), and let it hold if it is good."""
        async with self._turn:
            texts = await asyncio.to_thread(self._texts)
            if texts == self._tried and not anyhow:
                return self.reload
            assert self.config is not None
            try:
                config = await asyncio.to_thread(self._load, self.config)
                await swap(config)
            except ConfigInvalid as exc:
                self._tried = texts
                self._refused(exc.problems, self.config)
            except StoreUnavailable as exc:
                # Not tried, as far as we are concerned: the next look comes in seconds.
                self.reload = Reload(self._clock.now(), False, f"it could not be stored: {exc}", revision=self._running)
            else:
                self._tried = texts
                self._took(config)
            self._reloaded()
            return self.reload

    @property
    def _running(self) -> str:
        return self.config.revision.id if self.config else ""

    def _texts(self) -> object:
        return read_files(self._settings.paths, Path())

    def _load(self, before: Config | None) -> Config:
        paths = self._settings.paths
        config = load(paths, self._environ, self._clock.now(), agent=self._settings.name)
        if not self._settings.allow_empty and (problem := refuses_empty(before, config, str(paths[0]))):
            raise ConfigInvalid([problem])
        return config

    def _last_good(self, revision: Revision | None) -> Config | None:
        if revision is None:
            return None
        try:
            return load_texts(
                revision.files, self._environ, self._clock.now(), whose=revision, agent=self._settings.name
            )
        except ConfigInvalid:  # a name of the environment is gone, or this Sentinel reads it otherwise
            return None

    def _took(self, config: Config) -> None:
        now, revision = self._clock.now(), config.revision
        changed = self._running != revision.id
        self.config, self.loaded_at = config, now
        text = as_text(config.problems)
        self.reload = Reload(now, True, tally(config.problems), config.problems, text, revision.id)
        if changed:
            log.info(
                "configuration loaded",
                revision=revision.id[:12],
                commit=revision.commit[:10],
                probes=len(config.probes),
                rules=len(config.rules),
                notifiers=len(config.notifiers),
                warnings=len(config.problems),
            )

    def _refused(self, problems: tuple[Problem, ...], running: Config) -> None:
        text = as_text(problems)
        why = f"{tally(problems)} in the tree" if len(problems) > 1 else str(problems[0])
        self.reload = Reload(self._clock.now(), False, why, problems, text, running.revision.id)
        log.error(
            "the tree cannot be used, the last good configuration goes on",
            running=running.revision.id[:12],
            problems=[as_line(problem) for problem in problems],
            carets=text,
        )
