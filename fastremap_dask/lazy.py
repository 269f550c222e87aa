"""Results that are no arrays: computed with the arrays, and of the type that `fastremap` returns."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import dask.array as da
import numpy as np
from dask.base import DaskMethodsMixin, tokenize


class Lazy(DaskMethodsMixin):
    """
    Stand for a table, a dict or a list that is not computed yet; `compute()` returns it.

    It is optimised as the array that holds it, so that ``dask.compute(array, lazy)`` makes what both need once; a
    `dask.delayed.Delayed` would make it again.

    Parameters
    ----------
    boxed : dask.array.Array of object
        What is computed.
    finish : callable
        Turns the computed array into the result, where `compute` was called.
    kind : str
        Name of the result's type.
    """

    def __init__(self, boxed: da.Array, finish: Callable[[np.ndarray], Any], kind: str) -> None:
        self._boxed = boxed
        self._finish = finish
        self._kind = kind
        self.__dask_optimize__: Any = boxed.__dask_optimize__
        self.__dask_scheduler__: Any = boxed.__dask_scheduler__

    def __repr__(self) -> str:
        return f"<Lazy {self._kind} {self._boxed.name}: compute() returns it>"

    def compute(self, **options: Any) -> Any:
        """Return the table, dict or list; `options` are those of `dask.compute`."""
        return super().compute(**options)

    def __dask_tokenize__(self) -> str:
        return tokenize(type(self).__name__, self._boxed, self._kind)

    def __dask_graph__(self) -> Any:
        return self._boxed.__dask_graph__()

    def __dask_keys__(self) -> list[Any]:
        return self._boxed.__dask_keys__()

    def __dask_layers__(self) -> Any:
        return self._boxed.__dask_layers__()

    def __dask_postcompute__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        assemble, arguments = self._boxed.__dask_postcompute__()
        return partial(_finished, assemble=assemble, finish=self._finish), arguments

    def __dask_postpersist__(self) -> tuple[Callable[..., Lazy], tuple[Any, ...]]:
        rebuild, arguments = self._boxed.__dask_postpersist__()
        return partial(_rebuilt, rebuild=rebuild, finish=self._finish, kind=self._kind), arguments


def _finished(*results: Any, assemble: Callable[..., np.ndarray], finish: Callable[[np.ndarray], Any]) -> Any:
    return finish(assemble(*results))


def _rebuilt(
    *graph: Any, rebuild: Callable[..., da.Array], finish: Callable[..., Any], kind: str, **names: Any
) -> Lazy:
    return Lazy(rebuild(*graph, **names), finish, kind)
