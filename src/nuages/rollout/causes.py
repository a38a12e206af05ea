"""From what is seen of a failure to its cause and its cure. Pure; each id is documented in docs/reference/diagnoses.md.

A rule looks at the evidence and answers a cause or None; of the rules for a symptom the first that answers holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from nuages.app.objects import Object
from nuages.rollout.pods import Symptom, Trouble
from nuages.rollout.tracebacks import Trace, last_trace


class Cause(NamedTuple):
    """Why it failed, and what to do; `line` is the one line that matters, where no traceback has it."""

    id: str
    cause: str
    hint: str = ""
    line: str = ""


class Evidence(NamedTuple):
    """What is known of a failure: the workload, the pod's trouble, its log, and what the cluster said about both."""

    workload: Object
    trouble: Trouble | None = None
    log: str = ""
    events: tuple[Object, ...] = ()

    @property
    def trace(self) -> Trace | None:
        """The exception that ended the program."""
        return last_trace(self.log)

    @property
    def message(self) -> str:
        """What the kubelet says of the container."""
        return self.trouble.message if self.trouble else ""

    def said(self, *reasons: str) -> str:
        """The newest event with one of these reasons; empty where there is none."""
        found = [event.get("message") or "" for event in self.events if event.get("reason") in reasons]
        return found[-1] if found else ""

    def nuages(self, pattern: str) -> re.Match[str] | None:
        """The newest line of the log in which the runtime in the image says this."""
        return next(filter(None, (re.search(pattern, line) for line in reversed(self.log.splitlines()))), None)


Rule = Callable[[Evidence], Cause | None]


def explain(evidence: Evidence) -> Cause | None:
    """The cause of a failure; None where nothing is known."""
    rules = RULES[evidence.trouble.symptom] if evidence.trouble else CREATION
    return next((cause for rule in rules if (cause := rule(evidence))), None)


def image(evidence: Evidence) -> Cause | None:
    """The image is not there, not ours to pull, or not to be reached."""
    said = evidence.message
    name = _image(evidence.trouble)
    if "InvalidImageName" in said:
        return Cause("diag.D001", f"{name} is not the name of an image", "correct image in nuages.yaml", said)
    if "ErrImageNeverPull" in said:
        return Cause("diag.D005", f"{name} is not on the node, and may not be pulled", _LOAD, said)
    if re.search(r"unauthorized|denied|authorization failed|no basic auth|401|403", said):
        hint = "name a Secret with the registry's credentials as imagePullSecret in nuages.yaml"
        return Cause("diag.D003", f"the registry does not let the cluster pull {name}", hint, _tail(said))
    if re.search(r"no such host|dial tcp|i/o timeout|connection refused|TLS|x509", said):
        hint = f"is the registry's name right, and can the nodes reach it? In a local cluster: {_LOAD}"
        return Cause("diag.D004", f"the node does not reach the registry of {name}", hint, _tail(said))
    if re.search(r"not found|manifest unknown", said):
        hint = f"was it pushed under this name? In a local cluster: {_LOAD}"
        return Cause("diag.D002", f"there is no image {name}", hint, _tail(said))
    return Cause("diag.D006", f"the image {name} cannot be pulled", "", _tail(said))


def configuration(evidence: Evidence) -> Cause | None:
    """A Secret or ConfigMap, or a key in it, that a container reads is not there."""
    said = evidence.message
    if key := re.search(r"couldn't find key (\S+) in (Secret|ConfigMap) \S+/(\S+)", said):
        return _lacks(f"{key[2]} {key[3]} has no key {key[1]}", key[2], said)
    if whole := re.search(r'(secret|configmap) "([^"]+)" not found', said):
        kind = {"secret": "Secret", "configmap": "ConfigMap"}[whole[1]]
        return _lacks(f"there is no {kind} {whole[2]}", kind, said)
    return Cause("diag.D012", "the container cannot be configured", "", said)


def memory(evidence: Evidence) -> Cause | None:
    """The kernel ended it at its memory limit."""
    if evidence.trouble is None or not evidence.trouble.killed_for_memory:
        return None
    limit = _container(evidence.trouble).get("resources", {}).get("limits", {}).get("memory", "its limit")
    return Cause("diag.D030", f"it needed more memory than {limit}", "raise resources.memory of the component")


def command(evidence: Evidence) -> Cause | None:
    """The program could not be started at all."""
    said, code = evidence.message, evidence.trouble.exit_code if evidence.trouble else None
    wrong_format = "exec format error" in said or "exec format error" in evidence.log
    if wrong_format:
        return Cause(
            "diag.D032", "the image is made for another processor", "build it for the node's architecture", said
        )
    if re.search(r"executable file not found|no such file or directory", said) or code == 127:
        line = _tail(said) or _last_line(evidence.log)
        return Cause("diag.D031", "the command is not in the image", "check the component's command", line)
    if ("permission denied" in said and code in {126, 128, None}) or code == 126:
        hint = "it must be executable by the image's user (chmod +x)"
        return Cause("diag.D032", "the command may not be executed", hint, _tail(said) or _last_line(evidence.log))
    return None


def environment(evidence: Evidence) -> Cause | None:
    """The project asks for a variable that is not set: by os.environ, django-environ, environs or decouple."""
    trace = evidence.trace
    if trace is None:
        return None
    name = next((found[1] for pattern in _VARIABLE if (found := re.search(pattern, trace.line))), "")
    from_environ = trace.name == "KeyError" and any("os" in frame.file and frame.library for frame in trace.frames[-1:])
    if from_environ:
        name = trace.message.strip("'\"")
    if not name:
        return None
    declared = {one["name"] for one in _container(evidence.trouble).get("env", [])}
    if name in declared:
        return Cause("diag.D021", f"the image does not take the value of {name}", f"correct {name} in nuages.yaml")
    return Cause(
        "diag.D020",
        f"the image reads {name}, and the spec does not declare it",
        f"add {name} to env in nuages.yaml, or to secrets where its value is one",
    )


def database(evidence: Evidence) -> Cause | None:
    """The database refuses or does not answer; in a traceback, or in what the runtime says while it waits."""
    waits = evidence.nuages(r"(?:waits for|waiting for|connection to|refuses).*database|the database refuses")
    trace = evidence.trace
    said = trace.line if trace and "OperationalError" in trace.type else waits.string if waits else ""
    for pattern, cause in _DATABASE:
        if said and re.search(pattern, said):
            return cause._replace(line="" if trace else _clean(said))
    return None


def migration(evidence: Evidence) -> Cause | None:
    """What the migrating Job says in its last line, with the statement that failed."""
    if broken := evidence.nuages(
        r"(?P<head>InconsistentMigrationHistory|NodeNotFoundError|Conflicting migrations detected)(?P<rest>.*)"
    ):
        cause = _HISTORY[broken["head"]]
        return cause._replace(line=(broken["head"] + broken["rest"]).strip())
    if busy := evidence.nuages(r"another release is still migrating.*"):
        return Cause(
            "diag.D075", "another release holds the migration lock", "wait for it to end, and try again", busy[0]
        )
    failed = evidence.nuages(
        r"nuages: migration failed(?: in (?P<name>\S+))?: (?P<what>.*?)(?:; the statement was: (?P<sql>.*))?$"
    )
    if failed is None:
        return None
    which = failed["name"] or "a migration"
    line = failed["what"] + (f"\nstatement: {failed['sql']}" if failed["sql"] else "")
    if re.search(r"lock timeout|LockNotAvailable", failed["what"]):
        hint = "a long transaction holds the table; try again when it is over, or raise migrations.lockTimeout"
        return Cause("diag.D071", f"{which} did not get its table's lock in time", hint, line)
    return Cause(
        "diag.D070",
        f"{which} failed; what PostgreSQL had done of it is rolled back",
        "correct the migration, and deploy again",
        line,
    )


def exception(evidence: Evidence) -> Cause | None:
    """Any other exception that ended the program."""
    trace = evidence.trace
    if trace is None:
        return None
    if trace.name == "ModuleNotFoundError":
        module = trace.message.partition("named ")[2].strip("'\"")
        hint = "add it to the project's dependencies and lock file" if module else ""
        return Cause("diag.D022", f"the image has no module {module}", hint)
    if trace.name == "ImproperlyConfigured":
        return Cause("diag.D023", "the project's settings are not complete", "the line above says which one")
    if "Read-only file system" in trace.message:
        hint = "write below /tmp, or to the media volume"
        return Cause("diag.D028", "the project writes to the image, which is read-only", hint)
    return Cause("diag.D024", "the project raised an exception while it started")


def unmigrated(evidence: Evidence) -> Cause | None:
    """The runtime in the image says that its pod waits for migrations."""
    waits = evidence.nuages(r"start-up waits for migrations: (?P<names>.*)")
    if waits is None:
        return None
    hint = "deploy again: a release migrates before its pods start"
    return Cause("diag.D040", f"the database lacks {waits['names']}, which this image expects", hint, waits[0])


def probe(evidence: Evidence) -> Cause | None:
    """The kubelet asks, and does not get the answer it wants."""
    said = evidence.said("Unhealthy")
    which = said.partition(" ")[0].lower() or "probe"
    if "connection refused" in said:
        return Cause(
            "diag.D041", f"nothing listens where the {which} probe asks", "does the server listen on port 8000?", said
        )
    if code := re.search(r"statuscode: (\d+)", said):
        return Cause("diag.D042", f"the {which} probe is answered with {code[1]}", "", said)
    if re.search(r"Timeout|deadline exceeded|timed out", said):
        hint = "more CPU (resources.cpu) or fewer workers; the log says what it was doing"
        return Cause("diag.D043", f"the {which} probe gets no answer in time", hint, said)
    return Cause("diag.D044", f"the {which} probe fails", "", said) if said else None


def crash(evidence: Evidence) -> Cause | None:
    """It ended, and nothing above says why."""
    code = evidence.trouble.exit_code if evidence.trouble else None
    return Cause(
        "diag.D033", f"the program ended with exit code {code}", "its log may say why", _last_line(evidence.log)
    )


def node(evidence: Evidence) -> Cause | None:
    """No node takes the pod."""
    said = evidence.message
    if lacking := sorted(set(re.findall(r"Insufficient ([\w./-]+)", said))):
        what = " and ".join(lacking)
        return Cause("diag.D050", f"no node has enough {what} left", "lower resources or replicas, or add a node", said)
    if re.search(r"PersistentVolumeClaim|volume node affinity|persistent volume", said):
        return Cause(
            "diag.D051", "its volume is not bound, or lies on another node", "kubectl describe pvc says more", said
        )
    return Cause("diag.D052", "no node fits (taints, affinity)", "", said)


def mount(evidence: Evidence) -> Cause | None:
    """A volume cannot be mounted, or the pod's network not made."""
    if said := evidence.said("FailedMount", "FailedAttachVolume"):
        return Cause("diag.D053", "a volume cannot be mounted", "", said)
    if said := evidence.said("FailedCreatePodSandBox"):
        return Cause(
            "diag.D054", "the node cannot make the pod's sandbox", "look at the node, not at the project", said
        )
    return None


def creation(evidence: Evidence) -> Cause | None:
    """The cluster does not let the pods be made."""
    conditions = evidence.workload.get("status", {}).get("conditions", [])
    refused = [
        one.get("message", "") for one in conditions if one["type"] == "ReplicaFailure" and one["status"] == "True"
    ]
    said = refused[0] if refused else evidence.said("FailedCreate")
    if not said:
        return None
    if "exceeded quota" in said or "must specify limits" in said:
        return Cause("diag.D060", "the namespace's quota is used up", "raise the quota, or lower resources", said)
    if "violates PodSecurity" in said:
        return Cause("diag.D061", "the namespace's Pod Security level refuses the pods", "", said)
    return Cause("diag.D062", "the cluster refuses the pods", "", said)


def volume(evidence: Evidence) -> Cause | None:
    """A claim gets no volume."""
    if evidence.workload["kind"] != "PersistentVolumeClaim":
        return None
    said = evidence.said("ProvisioningFailed", "FailedBinding", "ExternalProvisioning")
    hint = "kubectl get storageclass shows what there is; storageClass in nuages.yaml names one"
    return Cause("diag.D055", "no volume is made for the claim", hint, said)


def address(evidence: Evidence) -> Cause | None:
    """A load balancer gives no address."""
    if evidence.workload["kind"] != "Service":
        return None
    hint = "use expose.kind nodePort or ingress where the cluster has no load balancers"
    return Cause(
        "diag.D080", "no load balancer gives the Service an address", hint, evidence.said("SyncLoadBalancerFailed")
    )


def deadline(evidence: Evidence) -> Cause | None:
    """A Job was ended by its own time limit; its pods are gone with it."""
    conditions = evidence.workload.get("status", {}).get("conditions", [])
    if any(one.get("reason") == "DeadlineExceeded" for one in conditions):
        return Cause("diag.D072", "the Job took longer than it may", "raise migrations.timeout in nuages.yaml")
    return None


RULES: dict[Symptom, tuple[Rule, ...]] = {
    Symptom.IMAGE: (image,),
    Symptom.CONFIG: (configuration,),
    Symptom.CRASH: (memory, command, migration, environment, database, exception, unmigrated, probe, crash),
    Symptom.UNSCHEDULABLE: (node,),
    Symptom.STARTING: (mount,),
    Symptom.UNREADY: (unmigrated, environment, database, exception, probe),
}
CREATION: tuple[Rule, ...] = (creation, deadline, volume, address)

_LOAD = "nuages cluster load IMAGE puts one on the node"
_VARIABLE = (
    r"Set the (\w+) environment variable",  # django-environ
    r'Environment variable "(\w+)" not set',  # environs
    r"(\w+) not found\. Declare it as envvar",  # python-decouple
    r"(?i:environment variable) [\"']?([A-Z][A-Z0-9_]+)[\"']? (?:is )?(?:not set|missing|required)",  # by hand
)
_DATABASE = (
    (
        r"password authentication failed|authentication failed|refuses the user or the password",
        Cause(
            "diag.D025",
            "the database refuses the user or the password",
            "its volume may be older than the Secret's password",
        ),
    ),
    (
        r'database "[^"]+" does not exist',
        Cause("diag.D026", "the server has no such database", "check databases in nuages.yaml"),
    ),
    (
        r"too many (?:clients|connections)|remaining connection slots",
        Cause(
            "diag.D027",
            "the database has no connection left",
            "fewer replicas, workers or threads, or more max_connections",
        ),
    ),
    (
        r"refused|could not translate host|Name or service not known|resolve host|timed? ?out|No route|no connection",
        Cause("diag.D029", "the database does not answer", "is its pod ready? kubectl get pods shows it"),
    ),
)
_HISTORY = {
    "InconsistentMigrationHistory": Cause(
        "diag.D073", "the database has migrations applied out of their order", "manage.py showmigrations tells which"
    ),
    "NodeNotFoundError": Cause(
        "diag.D074", "a migration depends on one that is not in the image", "is its file committed?"
    ),
    "Conflicting migrations detected": Cause(
        "diag.D074", "two migrations claim to be the last of an app", "manage.py makemigrations --merge"
    ),
}


def _lacks(cause: str, kind: str, said: str) -> Cause:
    number = {"Secret": "diag.D010", "ConfigMap": "diag.D011"}[kind]
    return Cause(
        number, cause, "deploy again makes what nuages makes; what you named yourself has to be there before", said
    )


def _container(trouble: Trouble | None) -> Object:
    if trouble is None:
        return {}
    spec = trouble.pod["spec"]
    every = (*spec.get("initContainers", ()), *spec.get("containers", ()))
    found: Object = next((one for one in every if one["name"] == trouble.container), {})
    return found


def _image(trouble: Trouble | None) -> str:
    return str(_container(trouble).get("image", "the image"))


def _tail(said: str) -> str:
    """The end of a chain of wrapped errors ("a: b: c") says most; long chains are cut at the front."""
    return said if len(said) <= 200 else "..." + said[-197:]


def _last_line(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _clean(said: str) -> str:
    return said.partition("nuages: ")[2] or said
