"""What a query gave, as JSON: written piece by piece, since an answer may hold a million values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sentinel.core.errors import QueryInvalid
from sentinel.core.labels import Labels
from sentinel.promql import ValueType
from sentinel.promql.answer import Answer
from sentinel.web.prometheus.answers import TRUNCATED, Said, write_json
from sentinel.web.prometheus.asked import Asked
from sentinel.web.prometheus.floats import go_float, go_floats, go_plain, go_seconds

#: Values in one answer: as many as Prometheus would send take a gigabyte while they are written.
VALUES_LIMIT = 2_000_000


def said(answer: Answer, asked: Asked, *, ranged: bool, limit: int) -> Said:
    """Write an answer and the notes about it.

    Args:
        answer: of the evaluator.
        asked: for the places that notes are about.
        ranged: whether a range was asked for.
        limit: series to return; 0 is all.

    Raises:
        QueryInvalid: there are more values than an answer may have.
    """
    warnings = [asked.placed(note.says, note.start) for note in answer.warnings]
    if answer.type is ValueType.MATRIX:
        answer = _rows(answer, sorted(range(len(answer.labels)), key=answer.labels.__getitem__))
    if 0 < limit < len(answer.labels):
        answer = _rows(answer, list(range(limit)))
        warnings.append(TRUNCATED)
    if (count := int(answer.present.sum())) > VALUES_LIMIT:
        raise QueryInvalid(
            f"the answer has {count} values, more than the {VALUES_LIMIT} that fit",
            fix="aggregate the series, or ask for a longer step",
        )
    infos = [asked.placed(note.says, note.start) for note in answer.infos]
    type_ = ValueType.MATRIX if ranged else answer.type
    return Said(f'{{"resultType":"{type_}","result":{_result(answer, type_)}}}', warnings, infos)


def _rows(answer: Answer, rows: list[int]) -> Answer:
    """Return some of the series, in this order."""
    labels = [answer.labels[row] for row in rows]
    return replace(answer, labels=labels, values=answer.values[rows], present=answer.present[rows])


def _result(answer: Answer, type_: ValueType) -> str:
    times = [go_seconds(ms) for ms in answer.times_ms.tolist()]
    match type_:
        case ValueType.STRING:
            return f"[{times[0]},{write_json(answer.text)}]"
        case ValueType.SCALAR:
            return f'[{times[0]},"{go_plain(float(answer.values[0, 0]))}"]'
        case ValueType.VECTOR:
            return f"[{','.join(_element(labels, times[-1], value) for labels, value in answer.latest())}]"
        case ValueType.MATRIX:
            return f"[{','.join(_series(answer, row, times) for row in range(len(answer.labels)))}]"


def _element(labels: Labels, time: str, value: float) -> str:
    return f'{{"metric":{write_json(dict(labels))},"value":[{time},"{go_float(value)}"]}}'


def _series(answer: Answer, row: int, times: list[str]) -> str:
    shown = np.flatnonzero(answer.present[row]).tolist()
    values = go_floats(answer.values[row, shown].tolist())
    points = ",".join([f'[{times[at]},"{value}"]' for at, value in zip(shown, values, strict=True)])
    return f'{{"metric":{write_json(dict(answer.labels[row]))},"values":[{points}]}}'
