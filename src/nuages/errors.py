"""The whole error tree, on one page.

Every error says what happened (`message`), where (`place`), what to do (`hint`) and how the command ends (`exit_code`).
No message ever carries a secret's value.

    NuagesError                 1  something failed
    ├── UsageError              2  the command was called wrongly
    ├── Refused                 3  a check says no; nothing was touched
    │   ├── SpecInvalid         3  nuages.yaml is not what it should be; carries all findings
    │   ├── WrongCluster        3  this environment lives in another cluster
    │   └── NotOurs             3  the objects belong to another tool, app or environment
    ├── MissingTool             1  a program, a right or space that this machine lacks
    ├── CommandFailed           1  a program that was run ended with an error; carries its last lines
    ├── BuildFailed             1  the project's image could not be built
    ├── PushFailed              1  a registry did not take the image; nothing is tagged
    ├── ImageInvalid            1  what was read is no OCI image, or not the one that was asked for
    ├── ClusterError            1  the cluster said no, or nothing
    │   ├── Unreachable         1  transient: no answer, or an answer that says "later"
    │   ├── Forbidden           1  final: a right is missing (verb, resource)
    │   ├── Conflict            1  final: another manager owns a field; never forced
    │   ├── Gone                1  final: the object changed or went away under our hands
    │   └── Rejected            1  final: the API server does not accept the object
    ├── Locked                  1  another release is under way; holder, since
    ├── Superseded              1  another writer took the lock over; nothing was written
    ├── ReleaseFailed           1  the release ended; the old version serves
    │   ├── ReleaseRefused      3  what only the project itself can tell said no; nothing was touched
    │   └── RolledBack          4  it ended, and the last good release was brought back
    └── Interrupted           130  stopped by the user; run it again
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nuages.findings import Finding


class NuagesError(Exception):
    """Anything nuages reports on purpose; all else is a bug and shows a traceback."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", place: str = "", detail: str = "") -> None:
        """Keep the parts; `detail` is the program's or the cluster's own words (a log's last lines), shown indented."""
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.place = place
        self.detail = detail


class UsageError(NuagesError):
    """The command line names something that is not there, or leaves out what is needed."""

    exit_code = 2


class Refused(NuagesError):
    """A check says no. Nothing was touched."""

    exit_code = 3

    def __init__(self, message: str, *, findings: Sequence[Finding] = (), hint: str = "", place: str = "") -> None:
        """Carry the findings that led to it, all of them."""
        super().__init__(message, hint=hint, place=place)
        self.findings = tuple(findings)


class SpecInvalid(Refused):
    """nuages.yaml is not what it should be; `findings` has every mistake, not the first."""


class WrongCluster(Refused):
    """The environment is bound to another cluster than the one that was asked; no flag overrides it."""


class NotOurs(Refused):
    """Objects in the way belong to another tool, app or environment."""


class MissingTool(NuagesError):
    """The machine lacks a program, a right or space; the hint says how to get on."""


class CommandFailed(NuagesError):
    """A program that was run ended with an error; `detail` has its last lines."""


class BuildFailed(NuagesError):
    """The project's image could not be built; `detail` has the failing step's own words."""


class PushFailed(NuagesError):
    """A registry did not take the image, or was not reached; what was there before is as it was."""


class ImageInvalid(NuagesError):
    """What was read is no OCI image, or not the one that was asked for."""


class ClusterError(NuagesError):
    """The cluster said no, or nothing."""


class Unreachable(ClusterError):
    """Transient: no answer, or one that says "later". Worth trying again."""


class Forbidden(ClusterError):
    """Final: a right is missing; the message names verb and resource."""


class Conflict(ClusterError):
    """Final: another field manager owns a field; it is named and never forced."""


class Gone(ClusterError):
    """Final: the object changed or went away between reading and writing."""


class Rejected(ClusterError):
    """Final: the API server does not accept the object, or an admission rule refuses it."""


class Locked(NuagesError):
    """Another release of this app and environment is under way; the message says whose and since when."""


class Superseded(NuagesError):
    """Another writer took the lock over (its epoch is higher); nothing was written."""


class ReleaseFailed(NuagesError):
    """The release ended without going live; `detail` is the diagnosis, and the old version serves."""


class ReleaseRefused(ReleaseFailed):
    """The project's own code, asked in the cluster, says no to the release, before anything was touched."""

    exit_code = 3


class RolledBack(ReleaseFailed):
    """The release failed after pods were replaced, and the last good one was brought back by itself."""

    exit_code = 4


class Interrupted(NuagesError):
    """Stopped by the user; the record says where, and the same command goes on from there."""

    exit_code = 130
