"""A pod of its own for one command: the live release's image, environment, volumes and walls, and nothing that serves.

It is made from the pod template that is live, so that it is what the web is, whatever the spec says by now. Its label
is `run`: no Service selects it, no budget counts it, and policies let it reach what the web reaches.
"""

from __future__ import annotations

import msgspec

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render.labels import COMPONENT, RUN, WEB, instance, metadata
from nuages.render.pods import container_security, from_secret, pod_basics, temporary, temporary_mount
from nuages.render.postgres import PASSWORD_KEY, PORT, UID, USER_KEY

CONTAINER = "run"
READY = b"\x05"
"""What a launcher writes until it is answered: output before somebody is attached would be lost."""
START = b"\n"
"""The answer, after which it starts the command."""
GO = b"\x06"
"""What it writes then; and once more, with its token and the exit code, when the command has ended."""

BY = "nuages.dev/by"
"""The annotation that says who has started it."""

GRACE_SECONDS = 10
"""From Ctrl-C to the end of a program that does not heed it."""

# What is set aside for a command; it takes more where there is more. A shell that somebody left keeps no web pod from
# its node.
CPU = "50m"
_SERVING = frozenset({"NUAGES_PORT", "NUAGES_METRICS_PORT", "NUAGES_COMPONENT", "NUAGES_LOGS"})

# Silent while it waits, on a terminal too; the terminal is given on as it was. A container that ends takes what is
# still on its way with it, so the launcher stays until that has arrived: its pod is removed then. Exit codes as a
# shell's. Ctrl-C is the command's alone.
_PYTHON = """\
import os, select, signal, sys, time
token, command = sys.argv[1], sys.argv[2:]
tty = os.isatty(0)
if tty:
    import termios, tty as modes
    before = termios.tcgetattr(0)
    modes.setraw(0, termios.TCSANOW)
pause = 0.05
os.write(1, b"\\x05")
while not select.select([0], [], [], pause)[0]:
    os.write(1, b"\\x05")
    pause = min(pause * 1.5, 1)
os.read(0, 1)
if tty:
    termios.tcsetattr(0, termios.TCSANOW, before)
os.write(1, b"\\x06")
keys = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP)
for one in keys:
    signal.signal(one, signal.SIG_IGN)
child = os.fork()
if not child:
    for one in (*keys, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(one, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\\n".encode())
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)
stopped = []
def stop(number, _):
    stopped.append(number)
    os.kill(child, number)
signal.signal(signal.SIGTERM, stop)
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
code = 128 - code if code < 0 else code
if not stopped and code != 137:  # killed, perhaps for its memory: the cluster knows
    signal.signal(signal.SIGTERM, lambda *_: os._exit(code))
    end = f"\\x06{token}:{code};".encode()
    os.write(1, end)
    tty or os.write(2, end)
    time.sleep(10)
os._exit(code)
"""
_BASH = """\
token=$1; shift
[ -t 0 ] && before=$(stty -g) && stty raw -echo
printf '\\005'
until IFS= read -r -n 1 -t 0.2 _; do [ $? -gt 128 ] || break; printf '\\005'; done
[ -t 0 ] && stty "$before"
printf '\\006'
trap '' INT QUIT TSTP
(trap - INT QUIT TSTP; exec "$@")
code=$?
[ $code = 137 ] && exit $code
trap 'exit $code' TERM
printf '\\006%s:%s;' "$token" "$code"
[ -t 0 ] || printf '\\006%s:%s;' "$token" "$code" >&2
sleep 10 & wait $!
exit $code
"""


_TOKEN = {"python": 4, "bash": 4}
"""Where the token stands in the command of either launcher."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One command that a person wants to run."""

    name: str
    """The pod's."""
    command: tuple[str, ...]
    typed: tuple[str, ...] = ()
    """What a person typed for it, where the command is a script of ours: that is what is written down."""
    by: str
    """Who: user@host."""
    ttl: int
    """Seconds after which the pod is ended, whatever it does."""
    stdin: bool = True
    """Whether somebody is attached from the start; without, the command starts at once."""
    tty: bool = False
    terminal: str = ""
    """TERM, of who has one."""
    memory: str | None = None
    """Another limit than the web's."""
    cpu: str = CPU
    """What is set aside."""
    token: str = ""
    """By which the launcher's last word is known from the command's own output."""


def project(app: App, template: Object, wanted: Run) -> Object:
    """A command in the project's own image; `template` is a live web's."""
    spec = template["spec"]
    web = spec["containers"][0]
    left_out = {"ports", "startupProbe", "readinessProbe", "livenessProbe", "lifecycle", "args", "name", "command"}
    memory = {"memory": wanted.memory} if wanted.memory else {}
    resources = web.get("resources", {})
    requests = {"requests": resources.get("requests", {}) | {"cpu": wanted.cpu} | memory}
    container = {
        **{field: value for field, value in web.items() if field not in left_out},
        "env": _environment(web.get("env", []), wanted),
        "resources": {part: values | memory for part, values in resources.items()} | requests,
        **_process(wanted, ["python", "-IS", "-c", _PYTHON]),
    }
    kept = (
        "serviceAccountName",
        "automountServiceAccountToken",
        "enableServiceLinks",
        "securityContext",
        "imagePullSecrets",
        "volumes",
        "nodeSelector",
        "tolerations",
    )
    return _pod(app, wanted, {field: spec[field] for field in kept if field in spec} | beside(app, spec), container)


def psql(app: App, wanted: Run) -> Object | None:
    """A command in the image of the app's own PostgreSQL, which has psql of the same version; None where it has none.

    The project's image has no psql, so Django's `dbshell` could not start one there.
    """
    if app.postgres is None:
        return None
    database = app.postgres
    variables = {"PGHOST": database.name, "PGPORT": str(PORT), "PGDATABASE": app.name}
    container = {
        "image": f"docker.io/library/postgres:{database.run.version}",
        "imagePullPolicy": "IfNotPresent",
        "env": [
            *({"name": name, "value": value} for name, value in variables.items()),
            from_secret("PGUSER", database.name, USER_KEY),
            from_secret("PGPASSWORD", database.name, PASSWORD_KEY),
            *_environment([], wanted),
        ],
        "resources": {"requests": {"cpu": CPU, "memory": "128Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": container_security(),
        "volumeMounts": [temporary_mount()],
        **_process(wanted, ["bash", "-c", _BASH, "bash"]),
    }
    return _pod(app, wanted, pod_basics(app, user=UID, account=app.name) | {"volumes": [temporary()]}, container)


def token_of(pod: Object) -> str:
    """The token of a pod's launcher; empty where it has none."""
    container = pod["spec"]["containers"][0]
    return str(container["command"][_TOKEN[container["command"][0]]]) if container.get("stdin") else ""


def _pod(app: App, wanted: Run, spec: Object, container: Object) -> Object:
    about = metadata(app, wanted.name, RUN, wanted.name)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": about | {"annotations": {BY: wanted.by}},
        "spec": {
            **spec,
            "restartPolicy": "Never",
            "activeDeadlineSeconds": wanted.ttl,
            "terminationGracePeriodSeconds": GRACE_SECONDS,
            # A program that is no process 1 ends on SIGTERM though it has no handler for it.
            "shareProcessNamespace": True,
            "containers": [{"name": CONTAINER, **container}],
        },
    }


def _process(wanted: Run, launcher: list[str]) -> Object:
    """What is started. A pipe ends with who wrote to it; a terminal stays open for who comes back."""
    if not wanted.stdin:
        return {"command": list(wanted.command)}
    return {
        "command": [*launcher, wanted.token, *wanted.command],
        "stdin": True,
        "stdinOnce": not wanted.tty,
        "tty": wanted.tty,
    }


def _environment(web: list[Object], wanted: Run) -> list[Object]:
    """The web's own but for what makes it serve; logs as a person reads them."""
    kept = [variable for variable in web if variable["name"] not in _SERVING]
    named = {variable["name"] for variable in kept}
    ours = {"NUAGES_COMPONENT": RUN, "NUAGES_LOGS": "text"} if web else {}
    # A home that can be written: shells and clients keep their history there.
    ours |= {"HOME": "/tmp"} if "HOME" not in named else {}  # noqa: S108 - the container's own
    ours |= {"TERM": wanted.terminal} if wanted.tty and wanted.terminal and "TERM" not in named else {}
    return [*kept, *({"name": name, "value": value} for name, value in ours.items())]


def beside(app: App, spec: Object) -> Object:
    """Where the web has a volume of its own, beside it: only one node may have it (ReadWriteOnce)."""
    if not any("persistentVolumeClaim" in volume for volume in spec.get("volumes", [])):
        return {}
    web = {"matchLabels": {**instance(app), COMPONENT: WEB}}
    term = {"labelSelector": web, "topologyKey": "kubernetes.io/hostname"}
    preferred = [{"weight": 100, "podAffinityTerm": term}]
    return {"affinity": {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}}
