"""What an editor shows, asked of the real yaml-language-server: the tree is one that `sentinel init` has written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sentinel.cli.init import init
from tests.editor.server import Editor, missing

pytestmark = [pytest.mark.skipif(bool(missing()), reason=missing()), pytest.mark.timeout(60)]
MODELINE = "# yaml-language-server: $schema=../.sentinel/schema.json\n"
FILES = {
    "probes/wrong.yaml": """\
probes:
  shop:
    http:
      url: https://shop.example.com
      metod: GET
    evry: 5s
  both:
    http: https://shop.example.com
    tcp: shop.example.com:80
  job:
    heartbeat: {every: 5m}
    timeout: 5s
""",
    "rules/wrong.yaml": """\
rules:
  queue:
    last: queue_depth
    above: {fatal: 5}
    severity: criticl
    for: 5
""",
    "probes/half.yaml": """\
probes:
  shop:
    http:
      url: https://shop.example.com
      x
    x
""",
    "rules/half.yaml": """\
rules:
  failures:
    ratio: {of: failed_total, to: all_total}
    severity: x
""",
}


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    """An editor whose folder is a tree of one's own."""
    folder = tmp_path_factory.mktemp("tree")
    init(folder, packs=["postgres"])
    for path, text in FILES.items():
        (folder / path).write_text(MODELINE + text)
    editor = Editor(folder)
    yield editor
    editor.close()


def test_nothing_is_underlined_in_what_init_writes(editor: Editor) -> None:
    """Each file of the starter and of a pack names the schema that lies in the tree, and fits it."""
    written = [path for path in sorted(editor.folder.rglob("*.yaml")) if path.name in ("main.yaml", "postgres.yaml")]
    assert len(written) >= 5
    for path in written:
        assert path.read_text().startswith(MODELINE)
        assert editor.open(str(path.relative_to(editor.folder))) == []


def test_mistakes_are_underlined(editor: Editor) -> None:
    """A typo, two kinds, a key that has no place beside a heartbeat; each in its line."""
    assert sorted(editor.open("probes/wrong.yaml"), key=lambda one: int(one.partition(":")[0])) == [
        "6: Property metod is not allowed.",
        "7: Property evry is not allowed.",
        "9: Matches multiple schemas when only one must validate.",
        "13: Property timeout is not allowed.",
    ]
    severities = 'Value is not accepted. Valid values: "info", "warning", "error", "critical".'
    found = editor.open("rules/wrong.yaml")
    assert found[:2] == [f"5: {severities}", f"6: {severities}"]
    assert [one.partition(":")[0] for one in found[2:]] == ["7"]


def test_keys_and_words_are_proposed(editor: Editor) -> None:
    """Below a kind's word its own keys that are not there yet, beside it those of all probes; values for a word."""
    editor.open("probes/half.yaml")
    below, beside = editor.completions("probes/half.yaml", 6, 8), editor.completions("probes/half.yaml", 7, 6)
    assert {"method", "headers", "expect", "metrics"} <= set(below)
    assert "url" not in below
    assert {"every", "timeout", "labels"} <= set(beside)
    editor.open("rules/half.yaml")
    assert editor.completions("rules/half.yaml", 5, 16) == ["info", "warning", "error", "critical"]


def test_what_a_key_means_is_shown(editor: Editor) -> None:
    """Over a kind stands what it asks, over a key what the docs say of it."""
    editor.open("probes/half.yaml")
    editor.open("rules/half.yaml")
    assert editor.hover("probes/half.yaml", 4, 6).startswith("Does a URL answer as it should, and how fast?")
    assert "only one that is needed" in editor.hover("probes/half.yaml", 5, 8)
    assert editor.hover("rules/half.yaml", 4, 6).startswith("One counter's growth as a share of another's")
    assert "Needed unless the threshold names its severities" in editor.hover("rules/half.yaml", 5, 6)
