"""How a schedule stands: when it last ran and how that ended. Pure: a CronJob and the Jobs beside it in, a value out.

A CronJob keeps no story of its own but the last time it started one and the last time one ended well
(https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/cron-job-v1/#CronJobStatus); how the last one
ended is said by its Jobs, as many as `history` keeps.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from nuages.app.objects import Object
from nuages.render.labels import KEY
from nuages.rollout.kinds import Done, Failed, tracker

Ended = Literal["never", "running", "complete", "failed", "unknown"]


class Runs(NamedTuple):
    """One schedule and its last run; times as the API server writes them (RFC 3339, UTC)."""

    name: str
    """Of the CronJob: `blog-schedule-clearsessions`."""
    key: str
    """Its key in the spec: `clearsessions`."""
    cron: str
    time_zone: str
    suspended: bool
    last: Ended
    """How the last run ended; `unknown` where nothing of it is kept any more."""
    began: str | None
    """When the last run began."""
    ended_well: str | None
    """When one last ended well, which may be an earlier one."""
    job: str = ""
    """The Job of the last run, for its logs; "" where none is kept."""
    why: str = ""
    """Of a failed one: in a few words."""

    @property
    def said(self) -> str:
        """In a few words, for people: "complete", "failed: took longer than it may", "suspended"."""
        text = f"{self.last}: {self.why}" if self.why else self.last
        return f"suspended, last {text}" if self.suspended else text


def runs(cron_job: Object, jobs: list[Object]) -> Runs:
    """Look at one CronJob; of the Jobs those count that are its own, so all of a namespace may be given."""
    about, spec, status = cron_job["metadata"], cron_job["spec"], cron_job.get("status", {})
    own = [
        job for job in jobs if any(ref["uid"] == about.get("uid") for ref in job["metadata"].get("ownerReferences", ()))
    ]
    newest = max(own, key=_began, default=None)
    began = status.get("lastScheduleTime")
    last, why = _last(newest) if newest else ("unknown" if began else "never", "")
    return Runs(
        name=about["name"],
        key=about.get("labels", {}).get(KEY, ""),
        cron=spec["schedule"],
        time_zone=spec.get("timeZone", "Etc/UTC"),
        suspended=bool(spec.get("suspend")),
        last=last,
        began=_began(newest) if newest else began,
        ended_well=status.get("lastSuccessfulTime"),
        job=newest["metadata"]["name"] if newest else "",
        why=why,
    )


def _last(job: Object) -> tuple[Ended, str]:
    match tracker("Job").verdict(job, _Nothing()):
        case Done():
            return "complete", ""
        case Failed(reason=reason):
            return "failed", "" if reason == "failed" else reason
        case _:
            return "running", ""


def _began(job: Object) -> str:
    return str(job.get("status", {}).get("startTime") or job["metadata"].get("creationTimestamp", ""))


class _Nothing:
    """A Job's verdict looks at nothing else."""

    def get(self, kind: str, name: str) -> Object | None:
        return None

    def items(self, kind: str) -> list[Object]:
        return []
