"""One small class per kind answers the same questions: is it done, and which pods does its current state run?

Pure: an object as last seen and a view of its neighbours in, a verdict out. The rules: `kubectl rollout status`
(https://github.com/kubernetes/kubectl/blob/master/pkg/polymorphichelpers/rollout_status.go), where it has one.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple, Protocol

from nuages.app.objects import Object


class Waiting(NamedTuple):
    """Not there yet; why, in a few words ("1 of 3 updated")."""

    reason: str


class Done(NamedTuple):
    """As wanted ("3 available")."""

    note: str = ""


class Failed(NamedTuple):
    """It will not become as wanted by waiting."""

    reason: str


Verdict = Waiting | Done | Failed


class View(Protocol):
    """What a verdict may look at: the objects as last seen. A `Mirror` is one."""

    def get(self, kind: str, name: str) -> Object | None:
        """One object; None where there is none."""

    def items(self, kind: str) -> list[Object]:
        """All objects of a kind."""


class Tracker:
    """Any kind without a story of its own: done as soon as it is there."""

    needs: ClassVar[frozenset[str]] = frozenset()  # kinds that the view must hold beside the tracker's own

    def verdict(self, live: Object, view: View) -> Verdict:
        """Judge one object."""
        return Done()

    def pods(self, live: Object, view: View) -> list[Object]:
        """The pods of its current template; those of an older one say nothing about this release."""
        return []


class DeploymentTracker(Tracker):
    """Generation observed, all updated, none old, all available."""

    needs = frozenset({"Pod", "ReplicaSet"})

    def verdict(self, live: Object, view: View) -> Verdict:
        """Judge as `kubectl rollout status deployment` does."""
        if not _observed(live):
            return Waiting("not seen by its controller yet")
        status, wanted = live["status"], live["spec"]["replicas"]
        if _condition(status, "Progressing").get("reason") == "ProgressDeadlineExceeded":
            return Failed(f"no progress for {live['spec'].get('progressDeadlineSeconds', 600)} s")
        if refused := _refused_pods(status):
            return refused
        updated, total = status.get("updatedReplicas", 0), status.get("replicas", 0)
        if updated < wanted:
            return Waiting("paused by hand" if live["spec"].get("paused") else f"{updated} of {wanted} updated")
        if total > updated:
            return Waiting(f"{total - updated} old to end")
        if (available := status.get("availableReplicas", 0)) < updated:
            return Waiting(f"{available} of {updated} available")
        return Done(f"{updated} available")

    def pods(self, live: Object, view: View) -> list[Object]:
        """The pods of the ReplicaSet with the Deployment's own revision."""
        if not _observed(live):
            return []
        current = [one for one in _owned(live, view.items("ReplicaSet")) if _revision(one) == _revision(live)]
        return [pod for replica_set in current for pod in _owned(replica_set, view.items("Pod"))]


class StatefulSetTracker(Tracker):
    """Generation observed, all ready, all of the update revision."""

    needs = frozenset({"Pod"})

    def verdict(self, live: Object, view: View) -> Verdict:
        """Judge as `kubectl rollout status statefulset` does; one updated by deletion need only be ready."""
        if not _observed(live):
            return Waiting("not seen by its controller yet")
        status, wanted = live["status"], live["spec"]["replicas"]
        if (ready := status.get("readyReplicas", 0)) < wanted:
            return Waiting(f"{ready} of {wanted} ready")
        if live["spec"]["updateStrategy"].get("type") == "OnDelete":
            return Done(f"{wanted} ready")
        partition = live["spec"]["updateStrategy"].get("rollingUpdate", {}).get("partition", 0)
        if (updated := status.get("updatedReplicas", 0)) < wanted - partition:
            return Waiting(f"{updated} of {wanted - partition} updated")
        if not partition and status.get("updateRevision") != status.get("currentRevision"):
            return Waiting("its controller has not finished the update")
        return Done(f"{wanted} ready")

    def pods(self, live: Object, view: View) -> list[Object]:
        """Its pods of the update revision; before its controller has seen a change, that is still the old one."""
        if not _observed(live):
            return []
        revision = live.get("status", {}).get("updateRevision")
        return [
            pod
            for pod in _owned(live, view.items("Pod"))
            if pod["metadata"].get("labels", {}).get("controller-revision-hash") == revision
        ]


class JobTracker(Tracker):
    """Complete or Failed, as its conditions say."""

    needs = frozenset({"Pod"})

    def verdict(self, live: Object, view: View) -> Verdict:
        """Judge by the conditions; the *Target ones come first, while pods still end."""
        status = live.get("status", {})
        for kind in ("Complete", "SuccessCriteriaMet"):
            if _condition(status, kind).get("status") == "True":
                return Done("complete")
        for kind in ("Failed", "FailureTarget"):
            found = _condition(status, kind)
            if found.get("status") == "True":
                return Failed(_JOB_ENDS.get(found.get("reason", ""), found.get("message") or "failed"))
        if live["spec"].get("suspend"):
            return Waiting("suspended")
        return Waiting("running" if status.get("ready") else "starting")

    def pods(self, live: Object, view: View) -> list[Object]:
        """Its pods; a Job's template never changes."""
        return _owned(live, view.items("Pod"))


class PodTracker(Tracker):
    """Ready, or ended well."""

    def verdict(self, live: Object, view: View) -> Verdict:
        """Judge by phase and readiness."""
        status = live.get("status", {})
        phase = status.get("phase", "Pending")
        if phase == "Succeeded":
            return Done("ended well")
        if phase == "Failed":
            return Failed(status.get("message") or status.get("reason") or "it ended with an error")
        if _condition(status, "Ready").get("status") == "True":
            return Done("ready")
        return Waiting("not ready" if phase == "Running" else phase.lower())

    def pods(self, live: Object, view: View) -> list[Object]:
        """Itself."""
        return [live]


class ClaimTracker(Tracker):
    """Bound; or unused so far, since many storage classes bind with the first pod (WaitForFirstConsumer)."""

    needs = frozenset({"Pod"})

    def verdict(self, live: Object, view: View) -> Verdict:
        """Judge without reading the StorageClass, which namespace rights do not allow."""
        phase = live.get("status", {}).get("phase", "Pending")
        if phase == "Bound":
            return Done(f"bound, {live['status'].get('capacity', {}).get('storage', '')}".rstrip(", "))
        if phase == "Lost":
            return Failed("its volume is lost")
        name = live["metadata"]["name"]
        if any(name in claims(pod) for pod in view.items("Pod")):
            return Waiting("not bound yet")
        return Done("bound with its first pod")


class ServiceTracker(Tracker):
    """There; and with an address, where a load balancer was asked for."""

    def verdict(self, live: Object, view: View) -> Verdict:
        """Judge by status.loadBalancer."""
        if live["spec"].get("type") != "LoadBalancer":
            return Done()
        addresses = live.get("status", {}).get("loadBalancer", {}).get("ingress") or []
        if not addresses:
            return Waiting("no address from the load balancer yet")
        return Done(addresses[0].get("ip") or addresses[0].get("hostname", ""))


# https://kubernetes.io/docs/concepts/workloads/controllers/job/#terminal-job-conditions
_JOB_ENDS = {
    "BackoffLimitExceeded": "failed",
    "DeadlineExceeded": "took longer than it may",
    "PodFailurePolicy": "failed, and its policy says not to try again",
}

TRACKERS: dict[str, Tracker] = {
    "Deployment": DeploymentTracker(),
    "StatefulSet": StatefulSetTracker(),
    "Job": JobTracker(),
    "Pod": PodTracker(),
    "PersistentVolumeClaim": ClaimTracker(),
    "Service": ServiceTracker(),
}
_ANY = Tracker()


def tracker(kind: str) -> Tracker:
    """The tracker of a kind; kinds without a story of their own share one."""
    return TRACKERS.get(kind, _ANY)


def claims(pod: Object) -> set[str]:
    """The names of the PersistentVolumeClaims a pod uses."""
    volumes = pod["spec"].get("volumes", [])
    return {volume["persistentVolumeClaim"]["claimName"] for volume in volumes if "persistentVolumeClaim" in volume}


def _observed(live: Object) -> bool:
    """Whether the status speaks about the spec as it is now."""
    return bool(live.get("status", {}).get("observedGeneration", 0) >= live["metadata"].get("generation", 0))


def _condition(status: Object, kind: str) -> Object:
    found: Object = next((one for one in status.get("conditions", []) if one["type"] == kind), {})
    return found


def _refused_pods(status: Object) -> Failed | None:
    """Whether pods are refused for good: by Pod Security, by an admission rule. A quota may get free."""
    found = _condition(status, "ReplicaFailure")
    if found.get("status") != "True":
        return None
    from nuages.rollout.causes.refusals import FOR_GOOD, refusal  # noqa: PLC0415 - all causes come along, and cost 10 ms

    why = refusal(found.get("message", ""))
    return Failed(f"its pods are refused: {why.cause}") if why and why.id in FOR_GOOD else None


def _owned(owner: Object, candidates: list[Object]) -> list[Object]:
    uid = owner["metadata"].get("uid")
    return [one for one in candidates if any(ref["uid"] == uid for ref in one["metadata"].get("ownerReferences", ()))]


def _revision(live: Object) -> str:
    annotations = live["metadata"].get("annotations", {})
    return str(annotations.get("deployment.kubernetes.io/revision", ""))
