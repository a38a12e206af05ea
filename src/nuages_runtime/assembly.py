"""How a web is put together from the project's application, for WSGI and ASGI in the same order."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from typing import Any, Protocol

from nuages_runtime import drain, hook, metrics, probes
from nuages_runtime.observe import Observer
from nuages_runtime.startup import Startup


class Observed(Protocol):
    """`observed` of wsgi.py or asgi.py."""

    def __call__(self, project: Any, observer: Observer, *, https: bool) -> Any:
        """The same application, with ids, log and metrics."""


def assembled(variable: str, files: Callable[[Any], Any], observed: Observed, with_probes: Callable[..., Any]) -> Any:
    """Load the project, and put in front of it what the server is to load instead.

    Args:
        variable: names the project's application in the environment, as `module:attribute`.
        files: puts static files and uploads in front of it.
        observed: puts request ids, access log and metrics in front of that.
        with_probes: puts the probes in front of all.
    """
    hook.start()  # once more: site.py goes on without what it fails to start
    drain.attach()
    metrics.share()
    project = probes.load(os.environ[variable])
    from nuages_runtime import tasks, views  # noqa: PLC0415 - the project's import comes first

    views.tell(project)
    tasks.send_ids()
    served = files(project)
    observer = Observer.of_this_process()
    _settle()
    return with_probes(
        observed(served, observer, https=os.environ.get("NUAGES_PROXY") == "https"),
        Startup(),
        os.environ.get("NUAGES_RELEASE", ""),
        observer.listen,
    )


def _settle() -> None:
    """What is loaded now stays for good: the collector need not look at it again at each of its rounds."""
    gc.collect()
    gc.freeze()
