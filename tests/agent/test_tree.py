"""The tree: followed at once, however its files come to be there, and never taken when it is bad."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import structlog
import structlog.testing

from sentinel.agent.log import Redaction
from sentinel.agent.tree import Tree
from sentinel.agent.watch import changes, folders
from sentinel.config.config import Config
from sentinel.config.secrets import Secrets
from sentinel.core.clock import ManualClock
from sentinel.core.errors import ConfigInvalid
from sentinel.settings import Settings

GOOD = "notifiers: {people: {console: {}}}\nrules: {queue: {last: queue_depth, above: 1, severity: error}}\n"
BAD = GOOD.replace("above", "abvoe")


async def swap(_: Config) -> None:
    """Take whatever comes."""


def tree(folder: Path) -> Tree:
    """Return a tree over one folder."""
    return Tree(Settings(config=(folder,)), {}, ManualClock())


async def test_a_bad_edit_leaves_what_runs(tmp_path: Path) -> None:
    """And the log has its carets."""
    (tmp_path / "a.yaml").write_text(GOOD)
    one = tree(tmp_path)
    running = one.begin(None)
    (tmp_path / "a.yaml").write_text(BAD)
    with structlog.testing.capture_logs() as logged:
        reload = await one.look(swap)
    assert (reload.ok, one.config) == (False, running)
    assert "^^^^^" in logged[0]["carets"]
    (tmp_path / "a.yaml").write_text(GOOD)
    assert (await one.look(swap)).ok


async def test_a_bad_tree_at_the_start_falls_back_to_what_was_good(tmp_path: Path) -> None:
    """Read out of the revision, with the commit that it had."""
    (tmp_path / "a.yaml").write_text(GOOD)
    good = tree(tmp_path).begin(None).revision
    (tmp_path / "a.yaml").write_text(BAD)
    one = tree(tmp_path)
    assert one.begin(good).revision.id == good.id
    assert not one.reload.ok
    with pytest.raises(ConfigInvalid):
        tree(tmp_path).begin(None)


async def test_an_empty_folder_where_rules_were_is_a_failed_mount(tmp_path: Path) -> None:
    """While the agent runs, and when it starts."""
    (tmp_path / "a.yaml").write_text(GOOD)
    one = tree(tmp_path)
    good = one.begin(None).revision
    (tmp_path / "a.yaml").unlink()
    reload = await one.look(swap)
    assert (reload.ok, "failed mount" in reload.why) == (False, True)
    again = tree(tmp_path)
    assert "queue" in again.begin(good).rules


@pytest.mark.parametrize("kind", ["edit", "rename", "configmap", "git-sync"])
async def test_a_change_is_noticed_however_it_is_made(tmp_path: Path, kind: str) -> None:
    """In place, by a rename, by the link of a ConfigMap, by a link above the folder."""
    root = tmp_path / "tree"
    for version in ("one", "two"):
        (tmp_path / "versions" / version).mkdir(parents=True)
        (tmp_path / "versions" / version / "a.yaml").write_text(f"# {version}\n")
    match kind:
        case "configmap":
            root.mkdir()
            (root / "..data").symlink_to(tmp_path / "versions" / "one")
            (root / "a.yaml").symlink_to(Path("..data", "a.yaml"))
        case "git-sync":
            root.symlink_to(tmp_path / "versions" / "one")
        case _:
            root.mkdir()
            (root / "a.yaml").write_text("# one\n")

    def change() -> None:
        match kind:
            case "edit":
                (root / "a.yaml").write_text("# two\n")
            case "rename":
                (root / ".a.draft").write_text("# two\n")
                (root / ".a.draft").rename(root / "a.yaml")
            case "configmap" | "git-sync":
                link = root / "..data" if kind == "configmap" else root
                fresh = tmp_path / "fresh"
                fresh.symlink_to(tmp_path / "versions" / "two")
                fresh.replace(link)

    async def notice() -> None:
        async for _ in changes([root], poll_seconds=30):
            if (root / "a.yaml").read_text() == "# two\n":
                return

    assert folders([root])
    noticing = asyncio.create_task(notice())
    await asyncio.to_thread(lambda: None)
    await asyncio.sleep(0.3)  # the watch begins in a thread of its own, and says nothing when it stands
    change()
    await asyncio.wait_for(noticing, 20)


def test_no_secret_reaches_the_log() -> None:
    """Wherever in an event it stands, and also after a reload that no longer has it."""
    redaction = Redaction()
    redaction.renew(Secrets.of(["xoxb-1234"]))
    redaction.renew(Secrets.of(["hunter22"]))
    event = redaction(
        None, "info", {"event": "a xoxb-1234", "deep": {"list": ["hunter22", 3]}, "error": OSError("xoxb-1234")}
    )
    assert "xoxb-1234" not in str(event)
    assert "hunter22" not in str(event)
