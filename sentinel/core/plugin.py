"""Plugin: the class that a word of YAML stands for, ours or one that another package brings by an entry point."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from sentinel.core.errors import PluginInvalid
from sentinel.core.problem import near

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")


@cache
def plugins(group: str) -> Mapping[str, EntryPoint]:
    """Return what installed packages bring to a group, unloaded; this reads the metadata of each of them."""
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group=group)}


def names(own: Mapping[str, str], group: str) -> tuple[str, ...]:
    """Return every word, ours and those of a group's plugins, in order."""
    return tuple(sorted({*own, *plugins(group)}))


def load(name: str, own: Mapping[str, str], base: type[T], group: str = "") -> type[T]:
    """Import the class that a word stands for; a plugin cannot take a word of ours.

    Args:
        name: the word.
        own: our words, each with the place of its class: "package.module:Class".
        base: what the class must be.
        group: of the entry points where other packages name theirs; none where nobody can bring any.

    Raises:
        KeyError: there is no such word; the text proposes a near one.
        PluginInvalid: it is a plugin's and cannot be used; the text says whose it is, and why.
    """
    if name in own:
        module, _, attribute = own[name].partition(":")
        found: type[T] = getattr(import_module(module), attribute)
        return found
    if group and (point := plugins(group).get(name)):
        return _load_foreign(point, base)
    raise KeyError(f'"{name}" is not known; {near(name, names(own, group) if group else tuple(own), "there are")}')


def _load_foreign(point: EntryPoint, base: type[T]) -> type[T]:
    package = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
    whose = f'"{point.name}" of {package}'
    try:
        found = point.load()
    except Exception as exc:  # whatever a foreign module does on import
        raise PluginInvalid(f"{whose} cannot be imported: {exc}") from exc
    if not (isinstance(found, type) and issubclass(found, base)):
        raise PluginInvalid(f"{whose} is no {base.__name__}: {point.value}")
    if missing := getattr(found, "__abstractmethods__", None):
        raise PluginInvalid(f"{whose} is not finished: {point.value} has no {', '.join(sorted(missing))}")
    return found
