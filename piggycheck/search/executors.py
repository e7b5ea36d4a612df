"""Who does the work of a search: this process, processes of their own, or a Dask cluster."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager
from itertools import islice
from typing import Any

from piggycheck.errors import InputError

__all__ = ["ExecutorError", "Here", "completed", "dask_executor", "processes"]

_PATIENCE = 0.5
_SECONDS_TO_ANSWER = 5


class ExecutorError(InputError):
    """The workers are gone, or cannot be reached."""


class Here(Executor):
    """An executor that does the work at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        future: Future = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def completed(
    executor: Executor, window: int, jobs: Iterator[tuple[Any, tuple[Any, ...]]]
) -> Iterator[tuple[Any, Any]]:
    """Give jobs to an executor, a few at a time, and yield each one's name and result as it is finished.

    Parameters
    ----------
    executor : concurrent.futures.Executor
    window : int
        How many jobs it has at most.
    jobs : iterator of (name, (function, argument, ...))

    Raises
    ------
    ExecutorError
        When the workers are gone.

    Examples
    --------
    >>> list(completed(Here(), 2, iter([("a", (abs, -1)), ("b", (abs, -2)), ("c", (abs, -3))])))[-1]
    ('c', 3)
    """
    running: dict[Future, Any] = {}
    more = True
    while running or more:
        try:
            for name, call in islice(jobs, window - len(running)):
                running[executor.submit(*call)] = name
            more = len(running) == window
            finished, _ = wait(running, timeout=_PATIENCE, return_when=FIRST_COMPLETED)
            results = [(running[future], future.result()) for future in finished]
        except Exception as error:
            lost = isinstance(error, (BrokenExecutor, CancelledError, OSError))
            if not lost and not type(error).__module__.startswith("distributed"):
                raise
            raise ExecutorError(
                f"the workers are gone ({type(error).__name__}); what they finished is kept: continue with --resume"
            ) from None
        for future in finished:
            del running[future]
        yield from results


@contextmanager
def processes(workers: int) -> Iterator[Executor]:
    """Yield an executor of worker processes, which end when this process does, however it ends.

    They ignore Ctrl-C, which is for this process to act on.
    """
    import multiprocessing

    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if "forkserver" in methods:
        context.set_forkserver_preload(["piggycheck.search.work"])
    ending, alive = context.Pipe(duplex=False)
    executor = ProcessPoolExecutor(workers, context, initializer=_begin_worker, initargs=(ending,))
    try:
        yield executor
    finally:
        alive.close()
        executor.shutdown(wait=True, cancel_futures=True)
        ending.close()


def _begin_worker(ending: Any) -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(ending,), daemon=True).start()


def _end_with(ending: Any) -> None:
    """End this process when the other end of the pipe is closed, by its owner or because that is gone."""
    try:
        ending.recv_bytes()
    except (EOFError, OSError):
        os._exit(0)


@contextmanager
def dask_executor(address: str) -> Iterator[tuple[Executor, int]]:
    """Yield an executor on a Dask cluster, and how many threads its workers have.

    Parameters
    ----------
    address : str
        Of the scheduler, as in ``tcp://127.0.0.1:8786``.

    Raises
    ------
    ExecutorError
        When the extra `dask` is not installed, the address is none, or nobody answers there.
    """
    try:
        from distributed import Client
        from distributed.comm import connect
    except ImportError:
        raise ExecutorError("--dask: `distributed` is not installed; pip install 'piggycheck[dask]'") from None

    async def greet() -> None:
        """Connect without a client, which would complain at length when there is nobody."""
        await (await connect(address, timeout=_SECONDS_TO_ANSWER)).close()

    for name in ("distributed.client", "distributed.comm.core", "distributed.comm.tcp"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # one line of ours says what happened
    try:
        asyncio.run(asyncio.wait_for(greet(), 2 * _SECONDS_TO_ANSWER))
        client = Client(address, timeout=_SECONDS_TO_ANSWER, set_as_default=False)
    except Exception as error:  # what answers may be anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ExecutorError(
            f"--dask: no scheduler answers at `{address}` ({reason[:100]}); write an address such as tcp://host:8786"
        ) from None
    with client:
        yield client.get_executor(pure=False), max(1, sum(client.nthreads().values()))
