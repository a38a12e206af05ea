"""Workers, beat, redis, folders, routes: what must hold for each of them."""

from __future__ import annotations

import msgspec
import pytest

from nuages.app.objects import Object
from nuages.render.manifest import Manifest, render

from .blog import SPEC, any_app, blog, example, release

pytestmark = pytest.mark.unit

EVERYTHING = "every-field-production"


def manifest(named: str = EVERYTHING) -> Manifest:
    return render(example(named), release())


def find(made: Manifest, kind: str, name: str) -> Object:
    (found,) = [item for item in made.objects if item["kind"] == kind and item["metadata"]["name"] == name]
    return found


def pod(made: Manifest, kind: str, name: str) -> Object:
    spec: Object = find(made, kind, name)["spec"]["template"]["spec"]
    return spec


def environment(made: Manifest, kind: str, name: str) -> dict[str, Object]:
    return {variable["name"]: variable for variable in pod(made, kind, name)["containers"][0]["env"]}


def with_spec(more: str, environment: str = "local") -> Manifest:
    head, tail = SPEC.split("environments:")
    return render(blog(environment, f"{head}{more}\nenvironments:{tail}"), release())


def test_old_workers_stop_before_new_ones_take_tasks() -> None:
    strategy = find(manifest(), "Deployment", "shop-worker-default")["spec"]["strategy"]
    assert strategy == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "100%", "maxSurge": 0}}


def test_a_worker_has_the_time_of_its_longest_task_to_end() -> None:
    made = manifest()
    assert pod(made, "Deployment", "shop-worker-default")["terminationGracePeriodSeconds"] == 600 + 10 + 5
    assert pod(made, "Deployment", "shop-worker-mail")["terminationGracePeriodSeconds"] == 60 + 10 + 5


def test_a_celery_worker_is_started_by_the_runtime_with_its_own_numbers() -> None:
    (container,) = pod(manifest(), "Deployment", "shop-worker-default")["containers"]
    assert container["command"] == ["python", "-m", "nuages_runtime.worker"]
    values = {variable["name"]: variable.get("value") for variable in container["env"]}
    assert {name: value for name, value in values.items() if name.startswith("NUAGES_CELERY")} == {
        "NUAGES_CELERY_APP": "shop",
        "NUAGES_CELERY_QUEUES": "celery,images",
        "NUAGES_CELERY_POOL": "prefork",
        "NUAGES_CELERY_CONCURRENCY": "2",
    }
    assert (values["NUAGES_COMPONENT"], values["NUAGES_POOL"]) == ("worker", "1")


def test_a_release_waits_for_a_worker_to_reach_its_broker_and_an_outage_restarts_nothing() -> None:
    (container,) = pod(manifest(), "Deployment", "shop-worker-default")["containers"]
    commands = {name: container[name]["exec"]["command"] for name in container if name.endswith("Probe")}
    assert commands.pop("readinessProbe")[-2:] == ["60", "running"]
    assert {command[-1] for command in commands.values()} == {"60"}


def test_a_worker_of_a_command_runs_it_without_probes_that_nothing_answers() -> None:
    (container,) = pod(manifest(), "Deployment", "shop-worker-mail")["containers"]
    assert container["command"] == ["python", "manage.py", "qcluster"]
    assert "livenessProbe" not in container


def test_a_worker_of_a_command_that_ends_at_once_does_not_count_as_available() -> None:
    assert find(manifest(), "Deployment", "shop-worker-mail")["spec"]["minReadySeconds"] == 10
    assert "minReadySeconds" not in find(manifest(), "Deployment", "shop-worker-default")["spec"]


def test_a_broken_beat_gives_way_to_the_mended_one() -> None:
    assert find(manifest(), "StatefulSet", "shop-beat")["spec"]["podManagementPolicy"] == "Parallel"


def test_beat_is_one_and_keeps_its_schedule() -> None:
    made = manifest()
    spec = find(made, "StatefulSet", "shop-beat")["spec"]
    assert spec["replicas"] == 1
    (claim,) = spec["volumeClaimTemplates"]
    mounts = {mount["name"]: mount["mountPath"] for mount in spec["template"]["spec"]["containers"][0]["volumeMounts"]}
    schedule = environment(made, "StatefulSet", "shop-beat")["NUAGES_BEAT_SCHEDULE"]["value"]
    assert schedule.startswith(f"{mounts[claim['metadata']['name']]}/")


def test_workers_come_before_the_web_and_beat_after_it() -> None:
    made = [item for item in manifest().objects if item["kind"] in ("Job", "Deployment", "StatefulSet")]
    kinds = [item["metadata"]["labels"]["app.kubernetes.io/component"] for item in made]
    assert kinds.index("migrate") < kinds.index("worker") < kinds.index("web") < kinds.index("beat")


def arguments(made: Manifest, app: str) -> dict[str, str]:
    words = pod(made, "StatefulSet", f"{app}-redis")["containers"][0]["args"]
    return dict(zip(words[::2], words[1::2], strict=True))


def test_a_redis_that_holds_tasks_writes_them_down_and_forgets_none() -> None:
    made = manifest("celery-production")
    assert arguments(made, "newsletter")["--appendonly"] == "yes"
    assert arguments(made, "newsletter")["--maxmemory-policy"] == "volatile-lru"
    assert find(made, "StatefulSet", "newsletter-redis")["spec"]["volumeClaimTemplates"]


@pytest.mark.parametrize(
    "more",
    [
        "",
        "workers: {default: {celery: blog}}\nenv: {CELERY_BROKER_URL: amqp://mq}",
        "workers: {default: {celery: blog}}\nsecrets: {CELERY_BROKER_URL: }",
    ],
)
def test_a_redis_without_tasks_is_a_cache_in_memory(more: str) -> None:
    spec = f"name: blog\nimage: a/b\nservices: {{redis: {{run: }}}}\n{more}\nenvironments: {{local: }}\n"
    made = render(blog(spec=spec), release())
    assert arguments(made, "blog")["--appendonly"] == "no"
    assert arguments(made, "blog")["--maxmemory-policy"] == "allkeys-lru"
    assert "volumeClaimTemplates" not in find(made, "StatefulSet", "blog-redis")["spec"]


def test_redis_holds_less_than_its_memory() -> None:
    assert int(arguments(manifest(), "shop")["--maxmemory"]) == 128 * 2**20


def test_the_password_of_redis_is_no_argument() -> None:
    (container,) = pod(manifest(), "StatefulSet", "shop-redis")["containers"]
    assert "requirepass $REDIS_PASSWORD" in container["command"][2]
    assert not [word for word in container["args"] if "pass" in word]


def test_clearing_the_cache_does_not_reach_the_tasks() -> None:
    values = environment(manifest("celery-local"), "Deployment", "newsletter-web-main")
    assert values["REDIS_URL"]["value"] == "redis://:$(REDIS_PASSWORD)@newsletter-redis:6379/0"
    assert values["CELERY_BROKER_URL"]["value"] == "redis://:$(REDIS_PASSWORD)@newsletter-redis:6379/1"


def test_a_variable_is_told_of_a_service_and_a_password_by_reference_only() -> None:
    made = manifest()
    values = environment(made, "Deployment", "shop-worker-mail")
    assert values["SEARCH_DB_HOST"] == {"name": "SEARCH_DB_HOST", "value": "shop-pgbouncer"}
    assert values["SEARCH_DB_PASSWORD"]["valueFrom"] == {"secretKeyRef": {"name": "shop-postgres", "key": "password"}}
    assert values["CHANNELS_URL"]["value"] == "redis://:$(REDIS_PASSWORD)@shop-redis:6379"


@pytest.mark.parametrize("named", [EVERYTHING, "celery-local"])
def test_a_variable_refers_only_to_those_before_it(named: str) -> None:
    for item in manifest(named).objects:
        for container in item.get("spec", {}).get("template", {}).get("spec", {}).get("containers", []):
            known: set[str] = set()
            for variable in container.get("env", []):
                for part in variable.get("value", "").split("$(")[1:]:
                    assert part.partition(")")[0] in known
                known.add(variable["name"])


def test_what_the_spec_declares_wins_over_what_nuages_would_set() -> None:
    own = SPEC.replace("COLOR: orange", 'COLOR: orange, DATABASE_URL: "sqlite:///x"')
    values = environment(render(blog(spec=own), release()), "Deployment", "blog-web-main")
    assert "DATABASE_URL" not in values
    assert "POSTGRES_PASSWORD" not in values


def test_a_password_of_the_projects_own_is_not_taken_for_that_of_the_service() -> None:
    own = SPEC.replace("SECRET_KEY: {generate: true}", "POSTGRES_PASSWORD: {generate: true}")
    values = environment(render(blog(spec=own), release()), "Deployment", "blog-web-main")
    assert "POSTGRES_PASSWORD" not in values
    assert "$(NUAGES_POSTGRES_PASSWORD)" in values["DATABASE_URL"]["value"]
    assert values["NUAGES_POSTGRES_PASSWORD"]["valueFrom"]["secretKeyRef"]["name"] == "blog-postgres"


def test_folders_are_in_all_that_runs_the_project() -> None:
    made = manifest()
    for kind, name in (
        ("Deployment", "shop-web-main"),
        ("Deployment", "shop-worker-mail"),
        ("StatefulSet", "shop-beat"),
        ("Job", "shop-migrate-default-expand-1"),
    ):
        mounts = {mount["mountPath"] for mount in pod(made, kind, name)["containers"][0]["volumeMounts"]}
        assert {"/app/data", "/app/var/cache"} <= mounts


def test_a_temporary_folder_is_each_pods_own() -> None:
    volumes = {volume["name"]: volume for volume in pod(manifest(), "Deployment", "shop-web-main")["volumes"]}
    assert volumes["volume-cache"]["emptyDir"] == {"sizeLimit": "100Mi"}
    assert volumes["volume-data"]["persistentVolumeClaim"] == {"claimName": "shop-volume-data"}


def test_a_folder_on_one_node_ends_the_old_pod_first_and_brings_the_job_near() -> None:
    made = with_spec("volumes: {data: {path: data, accessMode: ReadWriteOnce}}", "small")
    assert find(made, "Deployment", "blog-web-main")["spec"]["strategy"] == {"type": "Recreate"}
    assert "podAffinity" in pod(made, "Job", "blog-migrate-default-expand-1")["affinity"]


def test_the_longest_route_is_matched_first_and_leads_to_its_web() -> None:
    rule, *_ = find(manifest(), "Ingress", "shop")["spec"]["rules"]
    found = [path for path in rule["http"]["paths"] if path["pathType"] == "Prefix"]
    paths = [(path["path"], path["backend"]["service"]["name"]) for path in found]
    assert paths == [
        ("/legacy", "shop-web-legacy"),
        ("/api/", "shop-web-main"),
        ("/app/", "shop-frontend-spa"),
        ("/ws/", "shop-web-live"),
        ("/", "shop-web-main"),
    ]


def test_each_route_of_a_gateway_has_the_time_of_its_web() -> None:
    rules = find(manifest("every-field-gateway"), "HTTPRoute", "shop")["spec"]["rules"]
    times = {rule["matches"][0]["path"]["value"]: rule["timeouts"]["request"] for rule in rules}
    assert times == {"/legacy": "32s", "/api/": "32s", "/app/": "30s", "/ws/": "3602s", "/": "32s"}


def test_a_load_balancer_leads_to_the_web_of_the_root() -> None:
    selector = find(manifest("every-field-local"), "Service", "shop")["spec"]["selector"]
    assert selector["nuages.dev/key"] == "main"


def test_a_web_of_a_command_is_asked_whether_it_listens() -> None:
    made = manifest()
    (container,) = pod(made, "Deployment", "shop-web-legacy")["containers"]
    assert container["command"] == ["python", "serve.py"]
    assert container["readinessProbe"]["tcpSocket"] == {"port": "http"}
    assert container["ports"] == [{"name": "http", "containerPort": 9000, "protocol": "TCP"}]
    assert find(made, "Service", "shop-web-legacy")["metadata"]["annotations"] == {"nuages.dev/runtime": "false"}


def test_every_port_that_is_served_is_opened() -> None:
    names = [item["metadata"]["name"] for item in manifest().foundation if item["kind"] == "NetworkPolicy"]
    assert {"shop-web-from-traefik", "shop-web-from-traefik-9000", "shop-metrics"} <= set(names)


def test_metrics_are_switched_off_with_their_port_and_its_opening() -> None:
    made = with_spec("observability: {metrics: false, logs: text}")
    assert "blog-metrics" not in [item["metadata"]["name"] for item in made.foundation]
    (container,) = pod(made, "Deployment", "blog-web-main")["containers"]
    assert [port["name"] for port in container["ports"]] == ["http"]
    assert environment(made, "Deployment", "blog-web-main")["NUAGES_LOGS"]["value"] == "text"


@pytest.mark.parametrize(
    ("environment_name", "hosts", "origins", "proxy"),
    [
        ("local", "*", "http://blog.localhost", None),
        (
            "ingress",
            "blog.example.com,www.example.com,blog-web-main,blog-web-main.blog-ingress,blog-web-main.blog-ingress.svc",
            "https://blog.example.com,https://www.example.com",
            "https",
        ),
        (
            "gateway",
            "blog.example.com,blog-web-main,blog-web-main.blog-gateway,blog-web-main.blog-gateway.svc",
            "https://blog.example.com,http://blog.example.com",
            "https",
        ),
        (
            "nodeport",
            "blog.localhost,blog-web-main,blog-web-main.blog-nodeport,blog-web-main.blog-nodeport.svc",
            "http://blog.localhost:30005",
            None,
        ),
        (
            "small",
            "localhost,127.0.0.1,blog-web-main,blog-web-main.blog-small,blog-web-main.blog-small.svc",
            None,
            None,
        ),
    ],
)
def test_the_project_is_told_how_the_outside_reaches_it(
    environment_name: str, hosts: str, origins: str | None, proxy: str | None
) -> None:
    made = render(blog(environment_name), release())
    values = environment(made, "Deployment", "blog-web-main")
    assert values["NUAGES_HOSTS"]["value"] == hosts
    assert values.get("NUAGES_ORIGINS", {}).get("value") == origins
    assert values.get("NUAGES_PROXY", {}).get("value") == proxy


@pytest.mark.parametrize(("kind", "believed"), [("loadBalancer", "https"), ("nodePort", None)])
def test_a_load_balancer_that_ends_tls_is_believed_and_a_nodes_port_is_not(kind: str, believed: str | None) -> None:
    port = ", nodePort: 30005" if kind == "nodePort" else ""
    expose = f"expose: {{kind: {kind}{port}, hosts: [a.example.com], tls: {{terminated: loadBalancer}}}}"
    made = render(blog(spec=f"name: blog\nimage: a/b\n{expose}\nenvironments: {{local: }}\n"), release())
    values = environment(made, "Deployment", "blog-web-main")
    assert values.get("NUAGES_PROXY", {}).get("value") == believed
    assert values["NUAGES_ORIGINS"]["value"] == "https://a.example.com"


def test_an_overlay_that_is_off_leaves_the_hook_inert() -> None:
    off = SPEC.replace("blog.settings}", "blog.settings, overlay: false}")
    assert "NUAGES_OVERLAY" not in environment(render(blog(spec=off), release()), "Deployment", "blog-web-main")


def test_a_part_of_the_overlay_is_switched_off_alone() -> None:
    parts = environment(manifest("folder-local"), "Deployment", "bookmarks-web-main")["NUAGES_OVERLAY"]["value"]
    assert parts == "hosts,proxy,secret-key,debug,caches,static,media,logging,celery"


@pytest.mark.parametrize(
    ("named", "vendor", "jobs"),
    [
        ("stateless", "", 0),
        ("stateless", "sqlite", 0),
        ("stateless", "postgresql", 1),
        ("local", "sqlite", 1),
        ("folder-local", "sqlite", 1),
        ("folder-local", "", 0),
    ],
)
def test_a_database_that_outlives_a_pod_is_migrated(named: str, vendor: str, jobs: int) -> None:
    made = release()
    build = msgspec.structs.replace(made.build, engines={"default": vendor} if vendor else {})
    assert len(render(any_app(named), msgspec.structs.replace(made, build=build)).expand) == jobs
