"""Reducing many stretches of one flat array at once: a window over time is one, and so is a group of elements.

A cell is `flat[lo:hi]`. Cells become rows of a matrix, so that a kernel is a few operations of numpy along axis 1,
whatever it computes. Where all cells have one length and lie at one distance, as the windows of series that are
scraped in step do, the matrix is a view and nothing is copied.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentinel.core.windows import Values
from sentinel.promql.values import Indices, every

#: How many numbers one matrix may hold: 16 MB of float64.
CHUNK = 2_000_000

Flat = NDArray[Any]
#: Takes the length of each cell, one matrix per flat array, then per-cell arguments; returns a number per cell.
Kernel = Callable[..., Values]


def reduce_cells(
    kernel: Kernel,
    flats: tuple[Flat, ...],
    lo: Indices,
    hi: Indices,
    *per_cell: NDArray[Any],
    fill: float | None = None,
    tick: Callable[[], None] = lambda: None,
) -> Values:
    """Apply a kernel to every cell; an empty cell gives 0.

    Args:
        kernel: what to compute.
        flats: flat arrays of one length, of which each cell takes the same stretch.
        lo: first index of each cell, of any shape.
        hi: one past the last.
        per_cell: further arguments, of the same shape as `lo`.
        fill: what follows in a row whose cell is shorter than others; None repeats the cell's last number.
        tick: called between chunks; it may raise to stop.
    """
    shape, lo, hi = lo.shape, lo.ravel(), hi.ravel()
    arguments = [argument.ravel() for argument in per_cell]
    counts = hi - lo
    if not counts.size or not (widest := int(counts.max())):
        return np.zeros(shape)
    if counts.size * widest <= CHUNK:
        narrowest = int(counts.min())
        if narrowest == widest:
            return kernel(counts, *[_even(flat, lo, widest) for flat in flats], *arguments).reshape(shape)
        if counts.size * widest <= 4 * int(counts.sum()):
            out = kernel(counts, *[_ragged(flat, lo, counts, widest, fill) for flat in flats], *arguments)
            return (out if narrowest else np.where(counts > 0, out, 0.0)).reshape(shape)
    out = np.zeros(counts.shape)
    for rows in _chunks(counts):
        tick()
        width = int(counts[rows].max())
        matrices = (_ragged(flat, lo[rows], counts[rows], width, fill) for flat in flats)
        out[rows] = kernel(counts[rows], *matrices, *(argument[rows] for argument in arguments))
    return out.reshape(shape)


def _chunks(counts: Indices) -> list[Indices]:
    """Part the cells that are not empty so that the rows of a chunk are about equally long and its matrix is small."""
    order = np.argsort(counts, kind="stable")
    order = order[np.searchsorted(counts[order], 1) :]
    lengths, chunks, at = counts[order], [], 0
    while at < len(order):
        # Rows grow: take as many as fit at the length of the last of them, and none more than twice the first's.
        stop = at + max(1, CHUNK // max(1, int(lengths[at])))
        stop = min(stop, int(np.searchsorted(lengths, 2 * lengths[at], side="right")))
        stop = min(stop, at + max(1, CHUNK // int(lengths[min(stop, len(lengths)) - 1])))
        chunks.append(order[at:stop])
        at = stop
    return chunks


def _even(flat: Flat, lo: Indices, width: int) -> Flat:
    """Return one row per cell, all of one length. It may be a view: kernels do not write to it."""
    first, rows = int(lo[0]), len(lo)
    if rows == 1:
        return flat[None, first : first + width]
    distance = int(lo[1]) - first
    in_step = distance >= 0 and int(lo[-1]) - first == distance * (rows - 1)
    if in_step and flat.flags.c_contiguous and every(lo[1:] - lo[:-1] == distance):
        size = flat.itemsize
        # What `as_strided` does, in a tenth of its time, which small rules feel.
        return np.ndarray((rows, width), flat.dtype, flat, first * size, (distance * size, size))
    matrix: Flat = _stretches(flat, width)[lo]
    return matrix


def _ragged(flat: Flat, lo: Indices, counts: Indices, width: int, fill: float | None) -> Flat:
    """Return one row per cell, shorter ones filled up."""
    columns = np.arange(width)
    matrix: Flat = _stretches(flat, width)[np.minimum(lo, len(flat) - width)]
    # A short cell at the very end has no whole stretch behind it.
    if len(late := np.flatnonzero(lo > len(flat) - width)):
        matrix[late] = flat[np.minimum(lo[late, None] + columns, len(flat) - 1)]
    beyond = columns >= counts[:, None]
    if fill is not None:
        matrix[beyond] = fill
        return matrix
    return np.where(beyond, matrix[np.arange(len(lo)), np.maximum(counts, 1) - 1][:, None], matrix)


def _stretches(flat: Flat, width: int) -> Flat:
    """Return every stretch of this width, by its first index, as a view: taking rows of it copies whole stretches."""
    flat = np.ascontiguousarray(flat)
    size = flat.itemsize
    return np.ndarray((len(flat) - width + 1, width), flat.dtype, flat, 0, (size, size))
