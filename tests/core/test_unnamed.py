"""Labels without the metric's name: what an alert is told apart by."""

from __future__ import annotations

import pytest

from sentinel.core.labels import NAME, Labels


@pytest.mark.parametrize("labels", [{}, {"job": "shop"}, {"Zone": "a", "job": "shop"}])
@pytest.mark.parametrize("name", ["", "up"])
def test_the_name_goes_and_the_rest_stays(labels: dict[str, str], name: str) -> None:
    assert Labels.of(labels, **{NAME: name}).unnamed == Labels.of(labels)
