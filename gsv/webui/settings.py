"""What was last filled in: the same for all browsers, and still there when the server starts anew."""

import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from gsv.paths import Project, written_whole
from gsv.versions import VERSIONS, Version


class Settings:
    """Values of fields by their names, in `logs/webui.json`. May be used from many threads.

    The model version is for the running server alone: scripts expect every start to begin with v2.
    """

    def __init__(self, project: Project) -> None:
        self.path = project.root / "logs" / "webui.json"
        self.version: Version = VERSIONS["v2"]
        self._lock = threading.Lock()
        self._values: dict[str, Any] = {}
        # A file of another form, or none, is no reason not to start.
        with suppress(OSError, ValueError):
            self._values = dict(json.loads(self.path.read_text(encoding="utf-8")))

    def get(self, name: str, default: Any = None) -> Any:
        return self._values.get(name, default)

    def keep(self, values: Mapping[str, Any]) -> None:
        """Remembers values, beside those of other fields."""
        with self._lock:
            if all(self._values.get(name) == value for name, value in values.items()):
                return
            self._values = {**self._values, **values}
            with written_whole(self.path) as temporary:
                temporary.write_text(json.dumps(self._values, ensure_ascii=False, indent=1), encoding="utf-8")
