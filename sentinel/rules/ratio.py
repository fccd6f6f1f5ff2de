"""ratio: one counter's growth as a share of another's, or one newest value as a share of another.

Value
    With `over`, the growth of `of` divided by the growth of `to` in that window, both counted exactly; without it, the
    newest value of `of` divided by that of `to`. All series are added up on both sides, or those of each group of `by`.

In YAML
    rules:
      purchase-failure-rate:
        ratio: {of: 'purchases_total{status="failed"}', to: purchases_total, over: 5m, at_least: 20}
        above: {warning: 2%, critical: 5%}

Compiles to
    (sum(increase(purchases_total{status="failed"}[5m] anchored))
      or sum(increase(purchases_total[5m] anchored)) * 0)
    / sum(increase(purchases_total[5m] anchored))

Edges
    A missing `of` is 0 where `to` is there: no failure yet is no failure. No traffic (0 of 0) is not enough data, and
    so are fewer events in `to` than `at_least`: one failure of one purchase is 100 %, and pages without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from pydantic import Field

from sentinel.core.fields import PositiveDuration
from sentinel.core.quantity import Unit
from sentinel.promql import Expr, Number, Operator, Paren, VectorSelector
from sentinel.rules.compose import aggregated, growth, joined
from sentinel.rules.form import By, Compiled, Fault, Form, RuleInvalid, Setting, counter, selector


class Ratio(Form):
    """A share of one thing in another."""

    of: str = Field(description="A selector: what is counted.")
    to: str = Field(description="A selector: the whole of which it is a share.")
    over: PositiveDuration | None = Field(None, description="The window; without it, newest values are compared.")
    by: By = Field((), description="Labels to tell apart; all series are added up where none is given.")
    at_least: float = Field(0, ge=0, description="Fewer events than these in `to` are not enough data.")

    def compile(self, setting: Setting) -> Compiled:
        """Divide, with a zero where the numerator is missing."""
        of, to = self._selectors()
        numerator, denominator = self._amount(of), self._amount(to)
        counted = joined(numerator, Operator.OR, joined(denominator, Operator.MUL, Number(0.0)))
        return Compiled(
            joined(Paren(counted), Operator.DIV, denominator),
            unit=Unit.RATIO,
            window=self.over or timedelta(),
            carriers=(to,),
            by=self.by,
            events=denominator if self.at_least else None,
            at_least=self.at_least,
            parts={"of": counted, "to": denominator},
            wording="{of} / {to}",
        )

    def unclear(self, parts: Mapping[str, float]) -> str:
        """Say where there is nothing that it could be a share of."""
        return "no value" if parts.get("to") else "nothing to divide by"

    def _selectors(self) -> tuple[VectorSelector, VectorSelector]:
        read = counter if self.over else selector
        found: list[VectorSelector] = []
        faults: list[Fault] = []
        for key, text in (("of", self.of), ("to", self.to)):
            try:
                found.append(read(text, key))
            except RuleInvalid as exc:
                faults += exc.faults
        if faults:
            raise RuleInvalid(faults)
        return found[0], found[1]

    def _amount(self, of: VectorSelector) -> Expr:
        return aggregated("sum", growth(of, self.over) if self.over else of, self.by)
