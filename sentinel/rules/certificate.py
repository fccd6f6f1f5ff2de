"""certificate: the time that is left of a certificate which a probe saw.

Value
    The time until the first certificate of the chain that the probe was shown ends.

In YAML
    rules:
      certificate-ends:
        certificate: checkout                   # short for certificate: {probe: checkout}
        below: {warning: 14d, critical: 3d}

Compiles to
    probe_ssl_earliest_cert_expiry{probe="checkout"} - time()

Edges
    A certificate that has ended already has a negative time left, and a client that checks it cannot connect: the probe
    fails then and shows no certificate, the state is held, and a rule of the form `probe` says why it fails. A probe
    that never saw one (a plain `http:` address) has no value, and `sentinel-rule-blind` says so after an hour.
"""

from __future__ import annotations

from typing import ClassVar

from sentinel.core.quantity import Unit
from sentinel.promql import Call, Operator
from sentinel.rules.compose import joined
from sentinel.rules.form import Compiled, Form, Setting, selector
from sentinel.rules.names import Names, matcher


class Certificate(Form):
    """The time left of a certificate."""

    SHORT: ClassVar[str | None] = "probe"

    probe: Names

    def compile(self, setting: Setting) -> Compiled:
        """Subtract the present from its end."""
        which = matcher("probe", self.probe, setting, "probe")
        ends = selector(f"probe_ssl_earliest_cert_expiry{{{which}}}", "probe")
        return Compiled(joined(ends, Operator.SUB, Call("time", ())), unit=Unit.SECONDS, carriers=(ends,))

    @property
    def names(self) -> tuple[str, ...]:
        """The probes that it names."""
        return self.probe
