"""The engines that are loaded: a few at a time, each once, whoever asks."""

import threading
import weakref
from collections import OrderedDict
from collections.abc import Hashable
from concurrent.futures import Future
from pathlib import Path

from gsv.devices import best_device, give_back_memory, working_dtype
from gsv.errors import InputError
from gsv.paths import Project
from gsv.synthesis.common import Common
from gsv.synthesis.engine import Engine
from gsv.versions import version_named


class Pool:
    """Engines by their weight files; the one that was asked for longest ago makes room for a new one.

    Whoever has got an engine keeps it: a request ends with the weights it began with. One that has made room is gone as
    soon as nobody holds it, and its memory is the system's again when the pool is next asked for one. Networks that do
    not depend on the weights are shared by all.

    Args:
        size: how many engines are kept; 1 or more.
        device, fast: as in `Engine.load`.
    """

    def __init__(self, project: Project | None = None, device: str | None = None, size: int = 2, fast: bool = False):
        if size < 1:
            raise InputError(f"The pool's size is {size}; it must be 1 or more.")
        self.project = project or Project.default()
        self.size = size
        self.fast = fast
        self._device = device
        target = best_device(device)
        self.common = Common(self.project, target, working_dtype(target), fast)
        self._lock = threading.Lock()
        self._engines: OrderedDict[Hashable, Future[Engine]] = OrderedDict()
        # Those that may be held somewhere.
        self._living: list[weakref.ref[Engine]] = []

    def engine(self, gpt: str | Path | None = None, sovits: str | Path | None = None, version: str = "v2") -> Engine:
        """The engine of these weights, see `Engine.load`, which also says what it raises.

        A file that was written anew since is loaded anew. Threads that ask for the same engine at once wait for the
        one that loads it.
        """
        key = self._key(gpt, sovits, version)
        with self._lock:
            future = self._engines.get(key)
            loading = future is None
            if future is None:
                # Room is made before it is needed, so that there are never more than `size` because of the pool.
                while len(self._engines) >= self.size:
                    self._engines.popitem(last=False)
                future = self._engines[key] = Future()
            self._engines.move_to_end(key)
            living = [engine for engine in self._living if engine() is not None]
            some_died = len(living) < len(self._living)
            self._living = living
        if some_died:
            give_back_memory(self.common.device)
        if loading:
            try:
                engine = Engine.load(
                    gpt,
                    sovits,
                    version=version,
                    project=self.project,
                    device=self._device,
                    common=self.common,
                    fast=self.fast,
                )
                with self._lock:
                    self._living.append(weakref.ref(engine))
                future.set_result(engine)
            except BaseException as error:
                # Asked again, it is tried again: the file may be there by then.
                with self._lock:
                    if self._engines.get(key) is future:
                        del self._engines[key]
                future.set_exception(error)
                raise
        return future.result()

    def __len__(self) -> int:
        with self._lock:
            return len(self._engines)

    def _key(self, gpt: str | Path | None, sovits: str | Path | None, version: str) -> Hashable:
        """The same for base models whether they are named or not."""
        base = self.project.base(version_named(version))
        generator = self._state(sovits or base.generator)
        if gpt:
            return self._state(gpt), generator
        usual = self._state(base.generator)
        # Otherwise those of the version that the generator turns out to be of.
        return self._state(base.gpt) if generator == usual else None, generator

    def _state(self, path: str | Path) -> Hashable:
        file = self.project.resolve(path).resolve()
        if not file.is_file():
            return file
        state = file.stat()
        return file, state.st_mtime_ns, state.st_size
