"""`sentinel demo`: a shop, an agent that watches it, and a minute in which something breaks and is mended."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from sentinel.cli.client import AgentUnreachable, Client
from sentinel.cli.output import console
from sentinel.core.clock import SystemClock
from sentinel.core.errors import SentinelError
from sentinel.core.shipped import shipped
from sentinel.settings import Settings

#: The scenario is over after so long; the shop goes on, so that one can try things.
_SCENARIO_SECONDS = 60.0
_PATIENCE_SECONDS = 30.0


def demo(
    seconds: Annotated[float, typer.Option(help="End by itself after so long; 0 goes on until Ctrl-C.")] = 0.0,
) -> None:
    """Start a small shop and an agent that watches it, and let its payments fail for a while."""
    with tempfile.TemporaryDirectory(prefix="sentinel-demo-") as name, _until_terminated():
        folder = Path(name)
        shutil.copytree(shipped("examples", "shop"), folder / "shop")
        shop_port, agent_port = _free_port(), _free_port()
        settings = Settings(listen=f"127.0.0.1:{agent_port}", url=f"http://127.0.0.1:{agent_port}", token=None)
        with _agent(folder, shop_port, agent_port) as agent:
            _wait_for(Client(settings), agent)
            with _shop(folder, shop_port, agent_port) as shop:
                _say(folder, shop_port, agent_port)
                _watch(agent, shop, seconds)


def _say(folder: Path, shop_port: int, agent_port: int) -> None:
    shop, agent = f"http://127.0.0.1:{shop_port}", f"http://127.0.0.1:{agent_port}"
    console(stderr=True).print(
        f"""
  The page      {agent}/
  The tree      {folder}/shop/rules/shop.yaml

  In the next minute 3 % of purchases fail, then 10 %, then none: a warning, a rise to critical, a recovery.
  Meanwhile, in another terminal:

    export SENTINEL_URL={agent}
    sentinel alerts                                    what is wrong now
    sentinel explain purchase-failure-rate             the same, with the values filled in
    sed -i 's/critical: 5%/critical: 4%/' {folder}/shop/rules/shop.yaml
                                                       the agent follows within two seconds
    curl -X POST '{shop}/failures/down'        break the whole shop; DELETE mends it

  Ctrl-C ends it.
""",
        markup=False,
    )


def _watch(agent: subprocess.Popen[bytes], shop: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait until somebody ends it, or one of the two ends by itself."""
    clock = SystemClock()
    began = clock.monotonic()
    told = False
    while agent.poll() is None and shop.poll() is None:
        time.sleep(0.2)
        passed = clock.monotonic() - began
        if seconds and passed >= seconds:
            return
        if passed >= _SCENARIO_SECONDS and not told and not seconds:
            told = True
            console(stderr=True).print("  The scenario is over; both go on. Ctrl-C ends them.\n", markup=False)
    raise SentinelError("the agent ended by itself" if agent.poll() is not None else "the shop ended by itself")


@contextlib.contextmanager
def _agent(folder: Path, shop_port: int, agent_port: int) -> Iterator[subprocess.Popen[bytes]]:
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SENTINEL_")},
        "SENTINEL_LISTEN": f"127.0.0.1:{agent_port}",
        "SENTINEL_DATABASE_URL": f"sqlite:///{folder}/sentinel.db",
        "SENTINEL_CONFIG": str(folder / "shop"),
        "SENTINEL_NAME": "demo",
        "SENTINEL_LOG_FORMAT": "console",
        "SHOP_URL": f"http://127.0.0.1:{shop_port}",
        "SHOP_DATABASE": str(folder / "shop.db"),
    }
    with _child([sys.executable, "-m", "sentinel", "run"], environ, folder) as process:
        yield process


@contextlib.contextmanager
def _shop(folder: Path, shop_port: int, agent_port: int) -> Iterator[subprocess.Popen[bytes]]:
    arguments = ["--port", str(shop_port), "--database", str(folder / "shop.db"), "--scenario", "demo"]
    arguments += ["--sentinel-url", f"http://127.0.0.1:{agent_port}"]
    with _child([sys.executable, str(folder / "shop" / "shop.py"), *arguments], dict(os.environ), folder) as process:
        yield process


@contextlib.contextmanager
def _child(command: list[str], environ: dict[str, str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    # A session of its own: Ctrl-C comes to us, and we end both in order.
    process = subprocess.Popen(command, env=environ, cwd=folder, start_new_session=True)  # noqa: S603 - our own programs
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(client: Client, agent: subprocess.Popen[bytes]) -> None:
    clock = SystemClock()
    ends = clock.monotonic() + _PATIENCE_SECONDS
    while clock.monotonic() < ends and agent.poll() is None:
        try:
            client.get("api", "status")
        except AgentUnreachable:
            time.sleep(0.1)
        else:
            return
    raise SentinelError("the agent did not start; what it said stands above")


@contextlib.contextmanager
def _until_terminated() -> Iterator[None]:
    """Take SIGTERM for Ctrl-C, so that nothing is left behind."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        console(stderr=True).print("\n  Ended; nothing is left behind.", markup=False)
    finally:
        signal.signal(signal.SIGTERM, before)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
