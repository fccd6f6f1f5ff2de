"""The page in a real browser: readable in both schemes, on a phone, and fresh by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from sentinel.agent.agent import Agent
from sentinel.core.address import Address
from sentinel.web.app import create_app
from sentinel.web.listen import listen
from sentinel.web.server import QuietServer, server
from tests.e2e.process import free_port
from tests.web.conftest import Start

if TYPE_CHECKING:
    from playwright.async_api import Browser

CHROMIUM = Path("/usr/bin/chromium")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Return a browser, started once."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield started
        await started.close()


@pytest.mark.timeout(120)
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}")
@pytest.mark.parametrize(
    ("scheme", "width"),
    [
        pytest.param("light", 1100, id="light"),
        pytest.param("dark", 1100, id="dark"),
        pytest.param("light", 380, id="phone"),
    ],
)
async def test_a_person_can_read_it(start: Start, browser: Browser, scheme: str, width: int) -> None:
    """Nothing runs over the edge, the policy stops nothing of ours, and a new alert appears without a reload."""
    port = free_port()
    async with start(listen=f"127.0.0.1:{port}") as house:
        serving = await _serve(house.agent, port)
        page = await browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        await page.goto(f"http://127.0.0.1:{port}/")
        assert await page.locator("h1").inner_text() == "All is well"
        await house.measure("queue_depth", 60)
        await page.locator("article.critical").wait_for(timeout=30_000)
        assert await page.locator("h1").inner_text() == "One thing is wrong"
        assert await page.locator("article a.button").get_attribute("href") == "https://runbooks.example.com/queue"
        await page.locator("article.critical summary", has_text="Acknowledge").click()
        await page.locator("article.critical input[name=author]:visible").fill("ann")
        await page.get_by_role("button", name="I am on it").click()
        await page.locator("article.critical .ack", has_text="ann is on it until").wait_for()
        await page.locator("article.critical summary", has_text="Silence").click()
        assert await page.locator("input[name=author]:visible").input_value() == "ann"
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert complaints == []
        await page.close()
        serving[0].end()
        await serving[1]


async def _serve(agent: Agent, port: int) -> tuple[QuietServer, asyncio.Task[None]]:
    serving = server(create_app(agent))
    bound = listen(Address("127.0.0.1", port))
    return serving, asyncio.create_task(serving.serve(sockets=[bound]))
