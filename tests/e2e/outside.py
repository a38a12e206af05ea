"""Data stores that Kubernetes knows nothing of: containers on the node's own network, in a namespace of containerd's
that no kubelet looks at. To the app they are what a cloud's managed ones are: an address, a port, a password.
"""

from __future__ import annotations

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
PORTS = {"postgres": 5432, "redis": 6379, "rabbitmq": 5672, "memcached": 11211, "bucket": 7070}
IMAGES = {"postgres": "postgres:17", "redis": "redis:8", "rabbitmq": "rabbitmq:4", "memcached": "memcached:1.6"}


class Outside:
    """`with Outside(cluster, password) as stores: ...`; all five answer at `stores.host`."""

    def __init__(self, cluster: ClusterInfo, password: str) -> None:
        self.host, self._password = cluster.address, password
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
            wait_for(lambda: all(self._answers(name) for name in PORTS), 60)
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
            "redis": ["docker-entrypoint.sh", "redis-server", "--requirepass", self._password],
            "bucket": ["/usr/bin/versitygw", "--quiet", f"--region={REGION}", "posix", "/tmp"],
        }.get(name, [])
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
