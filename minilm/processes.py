"""How do several cores work on one long text? It goes out in batches to other processes, and what they make of it comes back in order.

The ideas in order: texts are grouped, so that a batch repays the way to another process and back (`batches_of`); every process is told once
what to do, then gets batch after batch, two at most waiting for each, so that memory is bounded however long the text; and where the others
have enough to do, this process works too (`map_in_order`). Trainings, each of which wants a process of its own, get them from `fresh_processes`.

Used for: learning a vocabulary (`minilm.tokenizer`) and encoding (`minilm.data`). Left out on purpose: a pool that outlives its text.
"""

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain, islice
from typing import TypeVar

BATCH = 1 << 18  # characters; a few hundredths of a second of work

Batch = TypeVar("Batch")
Result = TypeVar("Result")


def batches_of(texts: Iterable[str], size: int = BATCH) -> Iterator[list[str]]:
    """Group texts in order; each group but the last has at least `size` characters.

    >>> list(batches_of(["Once", "upon", "a", "time"], size=5))
    [['Once', 'upon'], ['a', 'time']]
    """
    batch, n_characters = [], 0
    for text in texts:
        batch.append(text)
        n_characters += len(text)
        if n_characters >= size:
            yield batch
            batch, n_characters = [], 0
    if batch:
        yield batch


def map_in_order(function: Callable[[Batch], Result], batches: Iterable[Batch], n_processes: int | None = None) -> Iterator[Result]:
    """Yield function(batch) for each batch, in their order, made by several processes if there is more than one batch.

    n_processes: this one and the others; all cores if not given. function, batches and results must be picklable. A script that uses several
    processes should keep its own work under `if __name__ == "__main__":`, as multiprocessing demands. No more than 4 batches for each other
    process, and one, are read or kept beyond what was yielded. Raises ValueError for fewer processes than one, and what `function` raises.

    >>> list(map_in_order(len, ["Once", "upon a", "time"], n_processes=1))
    [4, 6, 4]
    """
    n_processes = os.cpu_count() or 1 if n_processes is None else n_processes
    if n_processes < 1:
        raise ValueError(f"n_processes is {n_processes}; it must be at least 1")
    batches = iter(batches)
    beginning = list(islice(batches, 2))  # a single batch is not worth a process
    batches = chain(beginning, batches)
    if n_processes == 1 or len(beginning) < 2:
        yield from map(function, batches)
        return
    enough = 2 * (n_processes - 1)  # one that is worked on and one that waits
    with ProcessPoolExecutor(n_processes - 1, initializer=_remember, initargs=(function,)) as pool:
        results: deque[Future] = deque()  # in order: those of others, done or not, and those of this process
        for batch in batches:
            if sum(not result.done() for result in results) < enough:
                results.append(pool.submit(_work, batch))
            else:  # the others have enough to do, so this process works too
                results.append(Future())
                results[-1].set_result(function(batch))
            while results and (results[0].done() or len(results) > 2 * enough):
                yield results.popleft().result()
        while results:
            yield results.popleft().result()


def _remember(function: Callable) -> None:
    """Begin a process: from now on `_work` means this function, so that it (with a whole vocabulary, perhaps) is not sent with each batch."""
    global _work_of_this_process
    _work_of_this_process = function


def _work(batch):
    return _work_of_this_process(batch)


def fresh_processes(module: str) -> multiprocessing.context.BaseContext:
    """How to start processes that have loaded a module: by a server that loads it once, which saves seconds each time, where there is one (not on Windows)."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module, "torch._dynamo"])  # optimizers load the second
    return context
