"""Relabelling: how series and alerts are called once what they are about has another name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sentinel.core.labels import Labels
from sentinel.core.sample import OWN_PROBE


@dataclass(frozen=True, slots=True)
class Relabelling:
    """Earlier names to present ones.

    The probe of a series is its label `probe`, else `job`; our own numbers have a label for what they are about.

    Args:
        probes: that have another name.
        jobs: those of them whose series carry `job`.
        others: names of the probes that keep theirs: what they bring from elsewhere may have any `job`.
        own: label of our own numbers to the names in it.
    """

    probes: Mapping[str, str] = field(default_factory=dict)
    jobs: Mapping[str, str] = field(default_factory=dict)
    others: frozenset[str] = frozenset()
    own: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def labels(self, one: Labels) -> Labels:
        """Return labels with the present name in them; themselves where they have no earlier one."""
        probe, job = one.get("probe"), one.get("job")
        if probe == OWN_PROBE:
            named = {label: names[was] for label, names in self.own.items() if (was := one.get(label)) in names}
            return one.merge(named) if named else one
        if probe in self.others:
            return one
        if job in self.jobs:
            return one.merge({"job": self.jobs[job]})
        return one.merge({"probe": self.probes[probe]}) if probe in self.probes else one

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Iterate over every label and value that may be an earlier name."""
        for label, names in {"probe": self.probes, "job": self.jobs, **self.own}.items():
            for was in names:
                yield label, was
