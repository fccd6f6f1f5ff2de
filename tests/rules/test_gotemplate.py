"""Go templates of rule files: what they become, beside Prometheus's own expansion, and what is wrong with them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sentinel.rules.gotemplate import Expansion, GoTemplateInvalid, check, expand

LABELS = {"__name__": "m", "instance": "web-1.example.com:80", "job": "shop floor", "path": "/a/b-c"}
VALUE = 1234567.5

#: One a line: what means the same here and there.
SAME = (Path(__file__).parent.parent / "cases" / "gotemplates.txt").read_text().splitlines()

#: What cannot be filled in is said in the text; Prometheus says it in other words.
FAILING = [
    "{{ if gt $value 5 }}{{ end }}",
    '{{ first (query "no") }}',
    '{{ humanize "x" }}',
    "{{ $labels.job.x }}",
    '{{ template "no" }}',
]


def _expansion() -> Expansion:
    bare = {name: text for name, text in LABELS.items() if name != "__name__"}
    answers = {
        "m": [{"Labels": LABELS, "Value": VALUE}],
        "m * 2": [{"Labels": bare, "Value": 2 * VALUE}],
    }
    return Expansion(LABELS, VALUE, lambda query: answers.get(query, []))


@pytest.mark.skipif(not shutil.which("promtool"), reason="needs promtool (Debian: prometheus)")
def test_templates_become_what_prometheus_makes_of_them(tmp_path: Path) -> None:
    """Letter by letter; promtool prints the annotations that it did not expect."""
    annotations = {f"a{number:02}": text for number, text in enumerate([*SAME, *FAILING])}
    rule = {"alert": "A", "expr": "m", "annotations": annotations}
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": [rule]}]}))
    labels = ",".join(f'{name}="{text}"' for name, text in LABELS.items() if name != "__name__")
    test = {
        "rule_files": ["rules.yaml"],
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": f"m{{{labels}}}", "values": f"{VALUE}x2"}],
                "alert_rule_test": [{"eval_time": "1m", "alertname": "A", "exp_alerts": []}],
            }
        ],
    }
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(test))
    done = subprocess.run(["promtool", "test", "rules", "test.yaml"], cwd=tmp_path, capture_output=True, text=True)
    said = done.stdout + done.stderr
    pairs = re.findall(r'(a\d\d)=("(?:[^"\\]|\\.)*")', said[said.index("Annotations:") :])
    theirs = {name: json.loads(re.sub(r"\\x([0-9a-f]{2})", r"\\u00\1", text)) for name, text in pairs}
    assert len(theirs) == len(annotations), said
    for name, text in annotations.items():
        ours = expand(text, _expansion())
        if text in FAILING:
            assert ours.startswith("<error expanding template: ")
            assert theirs[name].startswith("<error expanding template: ")
        else:
            assert ours == theirs[name], text


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("{{ now }}", "1.435065584e+09"),
        ('{{ define "x" }}{{ . }}!{{ end }}{{ tmpl "x" 5 | title }}', "5!"),
        ("{{ now | toTime }} {{ now | humanizeTimestamp }}", "2015-06-23 13:19:44 +0000 UTC " * 2),
        (
            "{{ toDuration 3725.5 }} {{ toDuration 0 }} {{ toDuration -65 }} {{ toDuration 60 }}",
            "1h2m5.5s 0s -1m5s 1m0s",
        ),
        ('{{ toDuration 0.25 }} {{ toDuration "0.0005" }} {{ 86400 | toDuration }}', "250ms 500µs 24h0m0s"),
    ],
)
def test_what_only_a_newer_prometheus_knows(text: str, becomes: str) -> None:
    """`now` is the instant of the evaluation; `tmpl` is refused by no alert generator that is compliant."""
    assert expand(text, Expansion({}, 1.0, lambda _: [], now=1435065584.0)) == becomes.strip()


@pytest.mark.parametrize(
    ("text", "says", "at"),
    [
        ("{{ $value | humanise }}", 'there is no function "humanise"', "humanise"),
        ("{{ $lables.x }}", '"$lables" is not known here', "$lables"),
        ("{{ if $value }}x", "{{ if }} has no {{ end }}", "if"),
        ("x {{ end }}", "{{ end }} ends nothing", "end"),
        ("{{ $value", "{{ is not closed", "{{"),
        ("{{ template x }}", "{{ template }} needs a name in quotes", "template"),
        ('{{ if true }}{{ define "x" }}{{ end }}{{ end }}', "{{ define }} stands in a block", "define"),
        ('{{ block "x" $value }}{{ $value }}{{ end }}', '"$value" is not known here', "$value"),
        ('{{ define "x" }}a{{ end }}{{define "x"}}b{{ end }}', '"x" is defined twice', "define"),
        ('{{ block "x" }}{{ end }}', '"}}" should not stand here', "}}"),
        ('{{ define "x" }}a', "{{ define }} has no {{ end }}", "define"),
        ("{{ if true }}{{ break }}{{ end }}", "{{ break }} stands in no {{ range }}", "break"),
        ("{{ range $labels }}{{ continue 1 }}{{ end }}", "{{ continue }} takes nothing more", "1"),
        ("{{ }}", '"}}" should not stand here', "}}"),
        ("{{ $value | 5 }}", "what stands behind | should be a function", "$value | 5 "),
        ("{{ a ? b }}", 'there is no function "a"', "a"),
        ("{{ $value ? }}", '"?" means nothing here', "?"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, says: str, at: str) -> None:
    """When the file is read, and not when the alert fires."""
    with pytest.raises(GoTemplateInvalid) as caught:
        check(text)
    assert caught.value.says == says
    assert text[caught.value.start : caught.value.end] == at


@given(
    st.lists(
        st.sampled_from(
            [
                "{{",
                "}}",
                "-",
                " ",
                "$value",
                ".",
                "|",
                "if",
                "end",
                "else",
                "range",
                '"x"',
                "5",
                ":=",
                "(",
                ")",
                "$x",
                "printf",
                "define",
                "template",
                "break",
            ]
        )
    )
)
def test_no_text_breaks_the_reader(words: list[str]) -> None:
    """Whatever is written is a template or a clear error, and what is a template can be filled in."""
    text = " ".join(words)
    try:
        check(text)
    except GoTemplateInvalid:
        return
    expand(text, _expansion())


@pytest.mark.parametrize(
    "text",
    [
        '{{ define "x" }}{{ template "x" }}{{ template "x" }}{{ end }}{{ template "x" }}',
        "{{ range 1000 }}{{ range 1000 }}{{ if true }}{{ end }}{{ end }}{{ end }}",
    ],
)
def test_what_never_ends_is_given_up(text: str) -> None:
    """A template cannot hold up the evaluation of its group."""
    assert expand(text, _expansion()).startswith("<error expanding template: ")


@pytest.mark.parametrize(
    "text",
    [
        "{{{ $value }}",
        "{{ $value | humanize1000 }}",
        "{{ $labels. }}",
        "{{ $labels.1a }}",
        "{{ $value }} {{",
        "{{ $valu }}",
    ],
)
def test_what_looks_plain_and_is_not_is_read(text: str) -> None:
    """Plain actions are passed over, and nothing that is nearly one."""
    with pytest.raises(GoTemplateInvalid):
        check(text)
