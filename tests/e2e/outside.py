"""Data stores that Kubernetes knows nothing of: containers on the node's own network, in a namespace of containerd's
that no kubelet looks at. To the app they are what a cloud's managed ones are: an address, a port, a password, and a
certificate that an authority of their own has signed for that address. None of them speaks without TLS, but Memcached,
which has none, and the bucket.
"""

from __future__ import annotations

import base64
import subprocess
import tempfile
from pathlib import Path

from waiting import wait_for

from nuages.image import base
from nuages.local import images, toolchain
from nuages.local.info import ClusterInfo
from nuages.progress import silent

NAMESPACE = "outside"
REGION = "eu-central-1"
PORTS = {"postgres": 5432, "redis": 6379, "rabbitmq": 5671, "memcached": 11211, "bucket": 7070}
IMAGES = {"postgres": "postgres:17", "redis": "redis:8", "rabbitmq": "rabbitmq:4", "memcached": "memcached:1.6"}
# What a store runs as, and what it is told: where its certificate is.
USERS = {"postgres": "postgres", "redis": "redis", "rabbitmq": "rabbitmq"}
TLS = "/var/tmp/tls"
POSTGRES = f"postgres -c ssl=on -c ssl_cert_file={TLS}/tls.crt -c ssl_key_file={TLS}/tls.key".split()
REDIS = (
    f"redis-server --port 0 --tls-port 6379 --tls-cert-file {TLS}/tls.crt --tls-key-file {TLS}/tls.key"
    f" --tls-ca-cert-file {TLS}/ca.crt --tls-auth-clients no --requirepass"
).split()
RABBITMQ = f"""\
listeners.tcp = none
listeners.ssl.default = 5671
ssl_options.cacertfile = {TLS}/ca.crt
ssl_options.certfile = {TLS}/tls.crt
ssl_options.keyfile = {TLS}/tls.key
ssl_options.verify = verify_none
"""
# Its files, from variables: ctr shows a container none of this machine's folders.
BEGIN = f"""\
set -eu; umask 077; mkdir {TLS}; who=$1; shift
for name in CA_CRT TLS_CRT TLS_KEY; do
    file=$(echo "$name" | tr 'A-Z_' 'a-z.'); printenv "$name" | base64 -d > "{TLS}/$file"; unset "$name"
done
chown -R "$who" {TLS}
if [ -n "${{CONFIG:-}}" ]; then umask 022; echo "$CONFIG" | base64 -d > /etc/rabbitmq/conf.d/90-tls.conf; fi
exec docker-entrypoint.sh "$@"
"""


class Outside:
    """`with Outside(cluster, password) as stores: ...`; all five answer at `stores.host`."""

    def __init__(self, cluster: ClusterInfo, password: str) -> None:
        self.host, self._password = cluster.address, password
        self._signed = signed(self.host)
        self.authority = self._signed["CA_CRT"]
        """The certificate of who signed theirs."""
        assert cluster.process
        # The node has a file system, a network and processes of its own.
        self._ctr = ["nsenter", f"--target={cluster.process.pid}", "--mount", "--net", "--pid", "ctr", "-n", NAMESPACE]

    def __enter__(self) -> Outside:
        try:
            for name, reference in IMAGES.items():
                self._load(base.archive(f"{base.LIBRARY}{reference}", silent))
                self._start(name, f"{base.LIBRARY}{reference}")
            self._load(images.archive(images.BUCKET, toolchain.build({"versitygw"}, silent)))
            self._start("bucket", images.BUCKET.reference)
            wait_for(lambda: all(self._answers(name) for name in PORTS), patience=600)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for name in PORTS:
            self.run("task", "kill", "--signal=KILL", name, check=False)
        for name in PORTS:
            self.run("task", "delete", "--force", name, check=False)
            self.run("container", "delete", name, check=False)

    def run(self, *arguments: str, check: bool = True) -> str:
        """One command of ctr."""
        done = subprocess.run([*self._ctr, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout

    def inside(self, name: str, *command: str) -> str:
        """One command in a store's container."""
        return self.run("task", "exec", f"--exec-id=asked-{name}", name, *command)

    def _load(self, archive: Path) -> None:
        """As a stream: the node sees this machine's files, and not where every one of them lies."""
        with archive.open("rb") as stream:
            subprocess.run([*self._ctr, "images", "import", "-"], stdin=stream, capture_output=True, check=True)

    def _start(self, name: str, reference: str) -> None:
        said = {
            "postgres": {"POSTGRES_USER": "blog", "POSTGRES_PASSWORD": self._password, "POSTGRES_DB": "blog"},
            "rabbitmq": {
                "RABBITMQ_DEFAULT_USER": "blog",
                "RABBITMQ_DEFAULT_PASS": self._password,
                "RABBITMQ_DEFAULT_VHOST": "blog",
            },
            "bucket": {"ROOT_ACCESS_KEY_ID": "blog", "ROOT_SECRET_ACCESS_KEY": self._password},
        }.get(name, {})
        command = {
            "postgres": POSTGRES,
            "redis": [*REDIS, self._password],
            "rabbitmq": ["rabbitmq-server"],
            "bucket": ["/usr/bin/versitygw", "--quiet", f"--region={REGION}", "posix", "/tmp"],
        }.get(name, [])
        if name in USERS:
            command = ["sh", "-c", BEGIN, name, USERS[name], *command]
            said |= {variable: base64.b64encode(text.encode()).decode() for variable, text in self._signed.items()}
        if name == "rabbitmq":
            said["CONFIG"] = base64.b64encode(RABBITMQ.encode()).decode()
        with tempfile.NamedTemporaryFile("w", prefix="nuages-", dir="/var/tmp") as variables:
            variables.write("".join(f"{key}={value}\n" for key, value in said.items()))
            variables.flush()
            told = [f"--env-file={variables.name}"] if said else []
            if name == "postgres":  # ctr mounts a /run of its own, without the folder that the image has there
                told.append("--mount=type=tmpfs,src=tmpfs,dst=/run/postgresql,options=mode=1777")
            self.run("run", "--detach", "--null-io", "--net-host", *told, reference, name, *command)

    def _answers(self, name: str) -> bool:
        with subprocess.Popen(
            ["bash", "-c", f"exec 3<>/dev/tcp/{self.host}/{PORTS[name]}"], stderr=subprocess.DEVNULL
        ) as asked:
            return asked.wait() == 0


def signed(address: str) -> dict[str, str]:
    """An authority, and what it signed for an address: CA_CRT, TLS_CRT, TLS_KEY."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder)

        def openssl(*arguments: str) -> None:
            subprocess.run(["openssl", "req", "-x509", *key, *arguments], cwd=made, capture_output=True, check=True)

        # Python is strict since 3.13: an authority must say that it signs (VERIFY_X509_STRICT).
        signs = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
        openssl("-subj", "/CN=Stores", *signs, "-keyout", "ca.key", "-out", "ca.crt")
        openssl("-subj", "/CN=stores", "-addext", f"subjectAltName=IP:{address}", "-addext",
                "basicConstraints=critical,CA:FALSE", "-CA", "ca.crt", "-CAkey", "ca.key",
                "-keyout", "tls.key", "-out", "tls.crt")  # fmt: skip
        files = {"CA_CRT": "ca.crt", "TLS_CRT": "tls.crt", "TLS_KEY": "tls.key"}
        return {variable: (made / file).read_text() for variable, file in files.items()}
