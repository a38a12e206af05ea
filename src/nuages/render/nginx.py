"""How nginx serves files: its configuration, and the parts of a pod that runs it.

The configuration is a ConfigMap named by its content, so a change of it rolls the pods and builds no image. What a spec
names instead (`nginx: {configMap: …}`) stands in place of the server's part, default.conf; nginx.conf stays ours, since
it is what the read-only root asks for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render.pods import cluster_ip, container_security, resources
from nuages.spec.fronts import Nginx
from nuages.spec.model import Resources
from nuages.spec.units import seconds

IMAGE = "docker.io/library/nginx:1.26"
PORT = 8080
SERVICE_PORT = 80
UID = 101
ROOT = "/usr/share/nginx/html"
READY = "/-/ready"
EARLIER = "/var/lib/nuages/earlier"
"""The files of earlier releases of a front end."""
# Names are asked of the cluster's DNS as each pod knows it, each time: pods come and go.
_START = (
    """awk '$1 == "nameserver" && !n { n = $2 } $1 == "search" && !s { s = $2 } END { if (n ~ /:/) n = "[" n "]"; """
    """print "resolver " n " valid=1s; map $host $nuages_domain { default \\"" s "\\"; }" }' """
    """/etc/resolv.conf > /tmp/peers.conf && exec nginx -c /etc/nginx/nuages/nginx.conf -g 'daemon off;'"""
)
LEAD = 7
"""Seconds that a pod of a front end is known by name before it serves: the cluster's DNS remembers an answer for 5
(https://coredns.io/plugins/kubernetes/, ttl), nginx for 1. Pages that it serves name files that old pods ask it for."""
PRE_STOP, GRACE = 5, 30
"""Seconds: until no proxy sends requests any more, and with it for answers on slow lines."""

# A hash of the content in a file's name: hexadecimal with a letter and a digit, so that no date is one, as webpack and
# Django write it; or eight signs of base64url that are not made of words, numbers and sizes, as Vite and Rollup do.
# Where it is in doubt the file is asked for again, which costs a 304; the other way round it would be stale for a year.
HASHED = (
    r"[.-](?:(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{8,64}"
    r"|(?=[^.]*[A-Z])(?!(?:[A-Z]?[a-z]{2,}|[A-Z]{2,}|[0-9]+|x(?=[0-9])|[_-])+\.)[0-9A-Za-z_-]{8})"
    r"\.[0-9A-Za-z]+(?:\.map)?$"
)
_TYPES = (
    "text/css text/plain text/xml application/javascript application/json application/manifest+json "
    "application/wasm application/xml application/rss+xml application/atom+xml image/svg+xml font/ttf font/otf"
)
_ACCESS = (
    """'{"time":"$time_iso8601","level":"INFO","logger":"nginx.access","message":"$request","status":$status,"""
    """"bytes":$body_bytes_sent,"seconds":$request_time,"request_id":"$http_x_request_id"}'"""
)
_TEXT = """'$time_iso8601 INFO nginx.access: $request $status $body_bytes_sent'"""


def main_conf(app: App) -> str:
    """nginx.conf. What it writes is below /tmp; one process per pod, for `auto` would count the node's processors."""
    json = app.observability.logs == "json"
    folders = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return "\n".join(
        [
            "worker_processes 1;",
            "error_log /dev/stderr warn;",
            "pid /tmp/nginx.pid;",
            "events { worker_connections 1024; }",
            "http {",
            "    include /etc/nginx/mime.types;",
            "    types { application/manifest+json webmanifest; text/javascript mjs; }",
            "    default_type application/octet-stream;",
            "    charset utf-8;",
            "    charset_types text/css text/plain application/javascript application/json;",
            *(f"    {name}_temp_path /tmp/{name};" for name in folders),
            f"    log_format nuages {'escape=json ' * json}{_ACCESS if json else _TEXT};",
            "    access_log /dev/stdout nuages;",
            "    server_tokens off;",
            "    sendfile on;",
            "    tcp_nopush on;",
            "    keepalive_timeout 75s;",
            "    reset_timedout_connection on;",
            "    gzip_static on;",
            "    gzip on;",
            "    gzip_vary on;",
            "    gzip_proxied any;",
            "    gzip_comp_level 5;",
            "    gzip_min_length 1024;",
            f"    gzip_types {_TYPES};",
            "    # What has a hash of its content in its name never changes; of all else is asked whether it did.",
            "    map $uri $nuages_caching {",
            '        default "no-cache";',
            # Where no name has a hash, pages name files below that of all of them (nuages_runtime/statics.py).
            '        "~/[0-9a-f]{16}/" "public, max-age=31536000, immutable";',
            f'        "~{HASHED}" "public, max-age=31536000, immutable";',
            "    }",
            "    # A page is what has no dot in its last part, or what a browser goes to: never a script that is gone.",
            '    map "$http_accept $uri" $nuages_page {',
            "        default -;",
            '        "~text/html" index.html;',
            '        "~/[^./]*$" index.html;',
            "    }",
            "    include /tmp/peers.conf;",
            "    include /etc/nginx/conf.d/*.conf;",
            "}",
            "",
        ]
    )


def front_conf(app: App, routes: Sequence[str], peers: str) -> str:
    """default.conf of a front end: its files with or without the route before them, and its page for every other path.

    A build that was told where it is served asks for /app/assets/…, one that was not for /assets/…: both are found.
    A page that is open names the files of its release: those of earlier ones lie beside (frontends.py), and while a
    release rolls, pods of the old one ask those of the new (`peers`, a headless Service) for what they don't have.
    """
    return "\n".join(
        [
            "map $uri $nuages_file {",
            "    default $uri;",
            *(f'    "~^{_pattern(route)}(?<nuages_rest>/.*)$" $nuages_rest;' for route in routes if _plain(route)),
            "}",
            *_server(app),
            *(line for route in routes for line in _location(route)),
            "    location @earlier {",
            "        # A name without a hash is another file in each release.",
            "        if ($nuages_caching = no-cache) { return 404; }",
            f"        root {EARLIER};",
            "        try_files $uri $nuages_file @peers;",
            "    }",
            "    location @peers {",
            "        if ($http_x_nuages_peer) { return 404; }",
            "        proxy_set_header X-Nuages-Peer 1;",
            "        proxy_set_header Host $http_host;",
            "        add_header X-Nuages-Peer 1;",
            "        proxy_connect_timeout 1s;",
            "        proxy_read_timeout 10s;",
            "        proxy_next_upstream error timeout http_404;",
            "        proxy_next_upstream_timeout 5s;",
            "        proxy_intercept_errors on;",
            "        error_page 502 504 =404 @none;",
            f"        proxy_pass http://{peers}.$nuages_domain:{PORT};",
            "    }",
            "    location @none { return 404; }",
            "}",
            "",
        ]
    )


def static_conf(app: App, root: str) -> str:
    """default.conf of static files."""
    return "\n".join(
        [
            *_server(app, root),
            "    location / {",
            "        # What lasts of every release kept, then all of this one's.",
            "        try_files /files$uri /whole$uri =404;",
            "    }",
            "}",
            "",
        ]
    )


def config(app: App, about: Object, site: str, nginx: Nginx) -> Object:
    """The immutable ConfigMap: nginx.conf, and default.conf where the spec does not name another. `about` is the
    metadata of what it is for.
    """
    data = {"nginx.conf": main_conf(app), **({} if nginx.config_map else {"default.conf": site})}
    said = "\0".join(f"{file}\0{text}" for file, text in sorted(data.items()))
    digest = hashlib.sha256(said.encode()).hexdigest()[:10]
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": about | {"name": f"{about['name']}-nginx-{digest}"},
        "immutable": True,
        "data": data,
    }


def container(name: str, image: str, wanted: Resources, mounts: Sequence[Object] = (), *, lead: int = 0) -> Object:
    """The container of a pod that serves files, after `lead` seconds. Its image's signal to stop is QUIT: what is being
    answered ends.
    """
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", _START],
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        **_probes(lead),
        "lifecycle": {"preStop": {"sleep": {"seconds": PRE_STOP}}},
        "resources": resources(wanted),
        "securityContext": container_security(),
        "volumeMounts": [
            {"name": "nginx", "mountPath": "/etc/nginx/nuages", "readOnly": True},
            {"name": "site", "mountPath": "/etc/nginx/conf.d", "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the container's own
            *mounts,
        ],
    }


def volumes(made: Object, nginx: Nginx) -> list[Object]:
    """The volumes of such a pod: `made` is its ConfigMap. All files of another one are shown, an included one too."""
    ours = made["metadata"]["name"]
    site: Object = {"name": nginx.config_map} if nginx.config_map else {"name": ours, "items": [_item("default.conf")]}
    return [
        {"name": "nginx", "configMap": {"name": ours, "items": [_item("nginx.conf")], "defaultMode": 0o444}},
        {"name": "site", "configMap": {**site, "defaultMode": 0o444}},
        {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
    ]


def peers(about: Object, matching: dict[str, str]) -> Object:
    """A name for all pods one by one, those among them that don't serve yet: names are known late (LEAD)."""
    made = service(about | {"name": f"{about['name']}-peers"}, matching)
    return made | {"spec": made["spec"] | {"clusterIP": "None", "publishNotReadyAddresses": True}}


def service(about: Object, matching: dict[str, str]) -> Object:
    """The name inside the cluster of pods that have files."""
    return cluster_ip(about, matching, "http", SERVICE_PORT)


def _server(app: App, root: str = ROOT) -> list[str]:
    """The head of a server, left open. In front of it stands the proxy, whose port and scheme it must not name.

    Headers are those that no front end breaks by; what it may load from where only the project knows.
    """
    strict = app.expose.hsts if app.expose else None
    return [
        "server {",
        f"    listen {PORT};",
        "    server_name _;",
        f"    root {root};",
        "    absolute_redirect off;",
        "    add_header Cache-Control $nuages_caching;",
        "    add_header X-Content-Type-Options nosniff always;",
        "    add_header X-Frame-Options SAMEORIGIN always;",
        "    add_header Referrer-Policy strict-origin-when-cross-origin always;",
        "    add_header Content-Security-Policy \"frame-ancestors 'self'; base-uri 'self'; object-src 'none'\" always;",
        *([f'    add_header Strict-Transport-Security "max-age={seconds(strict)}" always;'] if strict else []),
        f"    location = {READY} {{ access_log off; return 204; }}",
    ]


def _location(route: str) -> list[str]:
    below = _plain(route)
    return [
        *([f"    location = {below} {{ return 301 {below}/; }}"] if below else []),
        f"    location {below}/ {{ try_files $uri $nuages_file /$nuages_page @earlier; }}",
    ]


def _plain(route: str) -> str:
    """A route as it stands before a slash: "/app/" is /app, "/" nothing."""
    return route.rstrip("/")


def _pattern(route: str) -> str:
    return _plain(route).replace(".", r"\.")


def _item(key: str) -> Object:
    return {"key": key, "path": key}


def _probes(lead: int) -> Object:
    asked = {"httpGet": {"path": READY, "port": "http", "scheme": "HTTP"}, "timeoutSeconds": 2}
    return {
        "startupProbe": {
            **asked,
            **({"initialDelaySeconds": lead} if lead else {}),
            "periodSeconds": 1,
            "failureThreshold": 60,
        },
        "readinessProbe": {**asked, "periodSeconds": 5, "failureThreshold": 2},
        # A node that is busy answers late: that is no reason to begin anew.
        "livenessProbe": {
            "tcpSocket": {"port": "http"},
            "timeoutSeconds": 5,
            "periodSeconds": 20,
            "failureThreshold": 3,
        },
    }
