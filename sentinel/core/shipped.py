"""Where the YAML and the templates lie that come with Sentinel: in the wheel, or in the folders of a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def shipped(*parts: str) -> Path:
    """Return the path of something shipped: `shipped("notifiers", "templates")`.

    A wheel holds it in `sentinel/_shipped`; an editable install does not, so the checkout's folders come second.

    Raises:
        FileNotFoundError: it lies in neither place.
    """
    places = (_PACKAGE / "_shipped", _PACKAGE.parent)
    for place in places:
        if (found := place.joinpath(*parts)).exists():
            return found
    raise FileNotFoundError(f"{'/'.join(parts)} is in none of {', '.join(map(str, places))}")
