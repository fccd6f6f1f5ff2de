"""Templates: filled in, checked ahead, and kept in their sandbox."""

from __future__ import annotations

import re
from typing import Any

import pytest
from jinja2 import TemplateSyntaxError, UndefinedError, meta

from sentinel.core.template import LONGEST, Template, TemplateInvalid, environment, find, names


@pytest.mark.parametrize(
    ("text", "context", "expected"),
    [
        ("no names at all", {}, "no names at all"),
        ("{{ value }} of purchases failed", {"value": "6.2%"}, "6.2% of purchases failed"),
        ("{{ labels.channel }}", {"labels": {"channel": "tick"}}, "tick"),
        ("{% if value > 3 %}many{% else %}few{% endif %}", {"value": 4}, "many"),
        ("{{ seconds | duration }}", {"seconds": 90}, "1m30s"),
        ("{{ share | percent }}", {"share": 0.062}, "6.2%"),
        ("{{ size | bytes }}", {"size": 1_500_000}, "1.5 MB"),
        ("{{ count | number }}", {"count": 12_500.0}, "12,500"),
        ("{{ raw * 2 }}", {"raw": 4}, "8"),
    ],
)
def test_a_template_is_filled_in(text: str, context: dict[str, Any], expected: str) -> None:
    assert Template(text).render(**context) == expected


@pytest.mark.parametrize(
    "text",
    [
        "{{ value }} of {{labels.channel}}",
        "{{  labels.a.B2  }}",
        "{ {{ value }} } {x} {} }} %} #} %s",
        "{{ value }}{{ value }}\n",
        "\n{{ value }}\n\n",
        "a\r\nb {{ value }}",
        "{{ value }} {# {{ labels.channel }} #}",
        "{{ value.real }} {{ value.upper }} {{ labels.none.more }}",
        "{{ true }} {{ value }}",
        "{{ nobody }}",
    ],
)
@pytest.mark.parametrize("value", ["6.2%", 2.5, None, "{labels}", "{{ labels }}"])
def test_what_only_names_things_is_filled_in_as_jinja_does(text: str, value: object) -> None:
    """Though Jinja2 is not asked."""
    context = {"value": value, "labels": {"channel": "tick", "a": {"B2": "deep"}}}
    try:
        expected = environment().from_string(text).render(**context)
    except UndefinedError as exc:
        with pytest.raises(TemplateInvalid, match=re.escape(str(exc))):
            Template(text).render(**context)
    else:
        assert Template(text).render(**context) == expected


def test_a_label_may_be_called_as_what_every_mapping_has() -> None:
    assert Template("{{ labels.items }}").render(labels={"items": "12"}) == "12"


def test_the_names_of_a_template_are_known_ahead() -> None:
    assert names("{{ value }} {% for name in labels %}{{ name }} {{ range(3) }}{% endfor %}") == {"value", "labels"}
    assert names("plain") == set()


@pytest.mark.parametrize(
    "text",
    [
        "{{ value }}",
        "{{value}} of {{  labels.channel  }}",
        "{{ raw_value | duration }} and {{ raw_value|int }}",
        "{{ value }} {# said {{ nothing }} #}",
        "{{ labels.channel if labels.channel else none }}",
        "{% if value %}{{ value }}{% endif %}",
        "{% set mine = value %}{{ mine }}",
        "{% raw %}{{ value }}{% endraw %}",
        "{{ true }} {{ none }} {{ range }} {{ namespace }} {{ self }}",
        "{{ value | upper }}",
        "{{ a }}{{ b.c }}{{ d }}{ }}",
        "{{ a }}}",
        "{ {{ a }}{ # }}",
    ],
)
def test_names_are_those_that_jinja_finds(text: str) -> None:
    """What is read without Jinja2 is read as Jinja2 does."""
    sandbox = environment()
    assert names(text) == meta.find_undeclared_variables(sandbox.parse(text)) - set(sandbox.globals)


WORDS = """
and as block call caller context dict else extends false filter for if ignore import in include is joiner lipsum loop
macro namespace none not or range raw recursive self set super true with without
"""


@pytest.mark.parametrize("word", WORDS.split())
def test_a_word_of_jinjas_is_left_to_jinja(word: str) -> None:
    text = f"{{{{ {word} }}}}"
    try:
        expected = meta.find_undeclared_variables(environment().parse(text)) - set(environment().globals)
    except TemplateSyntaxError:
        with pytest.raises(TemplateInvalid):
            names(text)
    else:
        assert names(text) == expected


def test_an_unknown_name_is_an_error_when_it_is_filled_in() -> None:
    with pytest.raises(TemplateInvalid, match="'vaule' is undefined"):
        Template("{{ vaule }}").render(value=1)


def test_a_template_that_cannot_be_read_says_on_which_line() -> None:
    text = "first\n{{ value"
    with pytest.raises(TemplateInvalid) as caught:
        Template(text)
    assert text[caught.value.start : caught.value.end] == "{{ value"
    for wrong in (text, "{{{ value }}}"):
        with pytest.raises(TemplateInvalid, match="is not a template"):
            names(wrong)


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ labels.__class__.__init__.__globals__ }}",
        "{{ labels.update({'a': 'b'}) }}",
        "{{ 'a' * 1000000000 }}",
        "{{ 10 ** 1000000 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ range(10000000) | list }}",
    ],
)
def test_a_template_cannot_leave_its_sandbox(text: str) -> None:
    with pytest.raises(TemplateInvalid):
        Template(text).render(labels={"channel": "tick"})


def test_what_a_template_writes_is_capped() -> None:
    assert len(Template("{% for i in range(99999) %}{{ text }}{% endfor %}").render(text="x" * 1000)) == LONGEST


def test_the_place_of_a_name_is_found() -> None:
    assert find("{{ labels.value }} {{ value }}", "value") == (22, 27)
    assert find("{{ labels }}", "value") == (0, 0)
