"""The whole application, by one file: its data stores in the cluster, then all of them elsewhere; written to in a
browser, and back by itself after every pod was deleted and the node's container runtime was killed.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import subprocess
from typing import NamedTuple

import httpx2
import pytest
from outside import PORTS, REGION, Outside
from playwright.sync_api import expect, sync_playwright
from project import ROOT, Project
from test_front_ends import FLAGS, PATIENCE, square
from waiting import becomes, steady, wait_for

from nuages.local import cluster as local
from nuages.local.cluster import up

# The node's container runtime is killed: nobody else may stand on it meanwhile.
pytestmark = [pytest.mark.e2e, pytest.mark.alone]

STAGING, PRODUCTION = "test-whole", "test-managed"
HOSTS = {STAGING: "whole.localhost", PRODUCTION: "managed.localhost"}
SPEC = ROOT / "examples/whole.nuages.yaml"
WORKERS = ("-l", "app.kubernetes.io/component=worker", "--tail=-1")


class Site(NamedTuple):
    """Where one environment answers, and who may write there."""

    namespace: str
    port: int
    http: httpx2.Client
    name: str
    password: str


@pytest.fixture(scope="module")
def password():
    return secrets.token_urlsafe(24)


@pytest.fixture(scope="module")
def project(cluster, tmp_path_factory):
    """The blog, and the example of the whole, bound to this cluster and to what is outside of it."""
    folder = tmp_path_factory.mktemp("whole") / "blog"
    shutil.copytree(
        ROOT / "examples/blog",
        folder,
        ignore=shutil.ignore_patterns("node_modules", "dist", "__pycache__", "*.sqlite3"),
    )
    text = SPEC.read_text()
    for old, new in {
        "  staging:\n": f"  staging:\n    namespace: {STAGING}\n    cluster: {cluster.context}\n",
        "    cluster: prod-eu\n": f"    namespace: {PRODUCTION}\n    cluster: {cluster.context}\n    confirm: false\n",
        "staging.blog.localhost": HOSTS[STAGING],
        "https://s3.example.com": f"http://{cluster.address}:{PORTS['bucket']}",
        "        cdn: https://cdn.example.com\n": "",
        "    media: {bucket: {endpoint: ": (
            f"    expose: {{hosts: [{HOSTS[PRODUCTION]}]}}\n    env: {{ALLOWED_HOSTS: {HOSTS[PRODUCTION]}}}\n"
            "    media: {bucket: {endpoint: "
        ),
        **{f"{name}.internal.example.com": cluster.address for name in ("db", "redis", "mq", "cache")},
    }.items():
        assert old in text, old
        text = text.replace(old, new)
    (folder / "nuages.yaml").write_text(text)
    return Project(folder, cluster.kubeconfig)


@pytest.fixture(scope="module")
def staging(project, cluster, kubectl):
    """Everything in the cluster, by one deploy."""
    up(cluster.name, addons=("bucket", "traefik"))
    kept = json.loads(kubectl("-n", "bucket", "get", "secret", "bucket", "-o", "json"))["data"]
    opened = {key: base64.b64decode(value).decode() for key, value in kept.items()}
    begin(kubectl, STAGING, {"blog-s3": opened, "blog-tls": certificate(HOSTS[STAGING])})
    # The node's proxy learns of a pod that is ready a moment later.
    wait_for(lambda: make_bucket(f"http://{cluster.address}:30900", "blog-media", opened))
    yield from site(project, kubectl, "staging", STAGING)


@pytest.fixture(scope="module")
def production(project, cluster, kubectl, password):
    """The same file, and nothing that keeps data in the cluster."""
    with Outside(cluster, password) as stores:
        account = {"user": "blog", "password": password}
        opened = {"AWS_ACCESS_KEY_ID": "blog", "AWS_SECRET_ACCESS_KEY": password}
        stores_of = dict.fromkeys(("blog-postgres", "blog-redis", "blog-rabbitmq"), account)
        begin(kubectl, PRODUCTION, {"blog-s3": opened, "blog-tls": certificate(HOSTS[PRODUCTION]), **stores_of})
        kubectl("-n", PRODUCTION, "create", "configmap", "stores-ca", f"--from-literal=ca.crt={stores.authority}")
        for name in ("blog-media", "blog-static"):
            wait_for(lambda name=name: make_bucket(f"http://{stores.host}:{PORTS['bucket']}", name, opened, REGION))
        yield from ((stores, found) for found in site(project, kubectl, "production", PRODUCTION))


def test_a_post_with_a_picture_is_written_and_a_worker_makes_it_small(staging, kubectl):
    write_in_a_browser(staging, "Written on staging")
    wait_for(lambda: "make_thumbnail" in kubectl("-n", STAGING, "logs", *WORKERS))
    kept = json.loads(kubectl("-n", STAGING, "get", "statefulsets", "-o", "json"))["items"]
    assert {item["metadata"]["name"] for item in kept} == {"blog-beat", "blog-postgres", "blog-redis", "blog-rabbitmq"}


def test_what_is_due_at_night_is_done(staging, kubectl):
    job = ("-n", STAGING, "create", "job", "tonight", "--from=cronjob/blog-schedule-count")
    kubectl(*job)
    kubectl("-n", STAGING, "wait", "--for=condition=Complete", "job/tonight", "--timeout=600s")
    becomes(1, lambda: staging.http.get("/api/counts/").json()["results"][0]["posts"])


def test_after_every_pod_was_killed_the_site_is_back_and_nothing_is_lost(staging, kubectl):
    before = wait_for(lambda: known(staging))
    old = pods(kubectl, STAGING)
    kubectl("-n", STAGING, "delete", "pods", "--all", "--grace-period=1", "--wait=false")
    wait_for(lambda: not old & pods(kubectl, STAGING))
    all_ready(kubectl, STAGING)
    answers(staging)
    becomes(before, lambda: known(staging))
    write(staging, "Written after the end of all pods")


def test_after_the_container_runtime_was_killed_pods_stand_and_new_ones_start(staging, cluster, kubectl):
    before, stood = wait_for(lambda: known(staging)), pods(kubectl, STAGING)
    killed = runtime(cluster.name)
    os.kill(killed.pid, 9)
    wait_for(lambda: (now := runtime(cluster.name)) and now.pid != killed.pid and now.ready)
    becomes(before, lambda: known(staging))
    kubectl("-n", STAGING, "delete", "pods", "-l", "app.kubernetes.io/component in (web, worker)", "--grace-period=1")
    all_ready(kubectl, STAGING)
    answers(staging)
    becomes(before, lambda: known(staging))
    assert len(stood & pods(kubectl, STAGING)) >= 6  # data stores, beat and front end never noticed
    write(staging, "Written after the runtime came back")


def test_with_all_data_stores_elsewhere_the_same_file_is_the_same_site(production, kubectl):
    stores, site = production
    write_in_a_browser(site, "Written in production")
    kept = json.loads(kubectl("-n", PRODUCTION, "get", "statefulsets,persistentvolumeclaims", "-o", "json"))["items"]
    assert {item["metadata"]["name"] for item in kept} <= {"blog-beat", "schedule-blog-beat-0", "data-blog-beat-0"}
    found = stores.inside(
        "postgres", "psql", "-U", "blog", "-tAc", "SELECT title FROM posts_post WHERE thumbnail <> ''"
    )
    assert found.strip() == "Written in production"
    # Who is signed in is in the Redis that somebody else runs, or in the database; the tasks were in their RabbitMQ.
    wait_for(lambda: "make_thumbnail" in kubectl("-n", PRODUCTION, "logs", *WORKERS))


UPLOAD = ["python", "-I", "-m", "nuages_runtime.upload"]


def test_pages_name_static_files_in_the_bucket_and_those_of_old_releases_go(production, kubectl):
    stores, site = production
    address = f"http://{stores.host}:{PORTS['bucket']}/blog-static"
    page = site.http.get("/").text
    style = page.partition('<link rel="stylesheet" href="')[2].partition('"')[0]
    assert style.startswith(f"{address}/posts/blog.")
    log = kubectl("-n", PRODUCTION, "logs", "job/blog-static-1")
    assert "static files in blog-static" in log
    told = {
        "NUAGES_BUCKET": "s3://blog-static",
        "NUAGES_INSTANCE": "blog-production",
        "NUAGES_STATIC_TREE": "older",
        "NUAGES_KEEP": "0",
        "AWS_ENDPOINT_URL_S3": address.rpartition("/")[0],
        "AWS_DEFAULT_REGION": REGION,
    }

    def upload(release: int, folder: str, **more: str) -> str:
        said = [f"{name}={value}" for name, value in {**told, "NUAGES_STATIC_ROOT": folder, **more}.items()]
        pod = ("-n", PRODUCTION, "exec", "deploy/blog-web-main", "-c", "web", "--")
        return kubectl(*pod, "env", *said, f"NUAGES_RELEASE={release}", *UPLOAD)

    assert "1 static files in blog-static: 1 uploaded" in upload(0, "/app/posts/fixtures")
    again = upload(1, "/app/staticfiles", NUAGES_STATIC_TREE="")
    assert " 0 uploaded" in again
    # The list of the older one is over, and its file with it; those of the one that serves stay.
    assert again.rstrip().endswith("1 of others removed")


def site(project: Project, kubectl, environment: str, namespace: str):
    """Deploy, make the admin, and clean up after."""
    url = project.nuages("deploy", "-e", environment).stdout.split()[-1]
    pod = ("-n", namespace, "exec", "deploy/blog-web-main", "-c", "web", "--")
    kubectl(*pod, "python", "manage.py", "createsuperuser", "--noinput")
    name, password = kubectl(*pod, "printenv", "DJANGO_SUPERUSER_USERNAME", "DJANGO_SUPERUSER_PASSWORD").split()
    port = int(url.rpartition(":")[2])
    host = HOSTS[namespace]
    assert url == f"https://{host}:{port}"
    client = httpx2.Client(
        base_url=f"https://127.0.0.1:{port}",
        headers={"Host": host, "Referer": f"https://{host}/"},
        verify=False,
        trust_env=False,
        timeout=60,
    )
    with client as http:
        for path in ("/app/", "/api/posts/"):  # each has endpoints of its own to learn
            steady(lambda path=path: http.get(path).status_code == 200)
        yield Site(namespace, port, http, name, password)
    kubectl("delete", "namespace", namespace, "--wait=false")


def begin(kubectl, namespace: str, kept: dict[str, dict[str, str]]) -> None:
    """A namespace with the Secrets that somebody else keeps there."""
    kubectl("delete", "namespace", namespace, "--ignore-not-found")  # of a run that was stopped
    objects = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}]
    for name, values in kept.items():
        about = {"name": name, "namespace": namespace}
        kind = "kubernetes.io/tls" if "tls.key" in values else "Opaque"
        objects.append({"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": about, "stringData": values})
    kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))


def certificate(host: str) -> dict[str, str]:
    """One that signs itself, and its key."""
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    said = ["-days", "90", "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}", "-keyout", "-", "-out", "-"]
    text = subprocess.run([*made, *said], capture_output=True, text=True, check=True).stdout
    key, begin, rest = text.partition("-----BEGIN CERTIFICATE-----")
    return {"tls.key": key, "tls.crt": begin + rest}


def answers(site: Site) -> None:
    """Wait until the site answers whatever pod is asked; the node's proxy and the controller learn of new ones late."""
    for path in ("/app/", "/api/posts/"):
        steady(lambda path=path: site.http.get(path).status_code == 200)


def make_bucket(endpoint: str, name: str, opened: dict[str, str], region: str = "us-east-1") -> bool:
    """As its owner would, before the first deploy; answers whether it is there."""
    account = f"{opened['AWS_ACCESS_KEY_ID']}:{opened['AWS_SECRET_ACCESS_KEY']}"
    signed = ["--aws-sigv4", f"aws:amz:{region}:s3", "--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD"]
    curl = ["curl", "--silent", "--show-error", "--noproxy", "*", "--config", "-", *signed, "--request", "PUT"]
    asked = [*curl, "--output", "/dev/null", "--write-out", "%{http_code}", f"{endpoint}/{name}"]
    done = subprocess.run(asked, input=f'user = "{account}"\n', capture_output=True, text=True, check=False)
    assert done.stdout in ("200", "409"), done.stdout + done.stderr  # made, or there from before
    return True


def write_in_a_browser(site: Site, title: str) -> None:
    """Sign in at the front end, write with a picture, and see what a worker made of it."""
    chromium = shutil.which("chromium")
    assert chromium, "This test needs Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS, timeout=PATIENCE)
        page = browser.new_page(base_url=f"https://{HOSTS[site.namespace]}:{site.port}", ignore_https_errors=True)
        page.set_default_timeout(PATIENCE)
        page.goto("/app/write")
        page.get_by_label("Name").fill(site.name)
        page.get_by_label("Password").fill(site.password)
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
        page.get_by_label("Title").fill(title)
        page.get_by_label("Summary").fill("Typed by a program.")
        page.get_by_label("Text").fill("It *truly* works.")
        picture = {"name": "square.png", "mimeType": "image/png", "buffer": square(600)}
        page.locator("input[type=file]").set_input_files(picture)
        page.get_by_label("What it shows").fill("A teal square")
        page.get_by_role("button", name="Publish").click()
        expect(page.get_by_role("heading", name=title)).to_be_visible()
        small = page.get_by_role("img", name="Thumbnail")
        slug = page.url.rstrip("/").rpartition("/")[2]
        wait_for(lambda: site.http.get(f"/api/posts/{slug}/").json()["thumbnail"])
        page.reload()  # it has looked for a minute; a slow worker takes longer
        expect(small).to_be_visible()
        assert small.evaluate("image => image.decode().then(() => image.naturalWidth)") == 320
        browser.close()


def write(site: Site, title: str) -> None:
    """The same by the API, and wait for the worker."""

    def signed_in() -> str:
        csrf = {"X-CSRFToken": site.http.get("/api/session/").json()["csrf"]}
        account = {"username": site.name, "password": site.password}
        answer = site.http.post("/api/session/", json=account, headers=csrf).raise_for_status()
        return str(answer.json()["csrf"])

    token = wait_for(signed_in)  # who is signed in is kept in a store that has just come back, too
    answer = site.http.post(
        "/api/posts/",
        data={"title": title, "summary": "Short.", "body": "Text."},
        files={"image": ("square.png", square(400), "image/png")},
        headers={"X-CSRFToken": token},
    ).raise_for_status()
    slug = answer.json()["slug"]
    wait_for(lambda: site.http.get(f"/api/posts/{slug}/").json()["thumbnail"])


def known(site: Site) -> dict[str, tuple[bytes, bytes]]:
    """Every post with its picture and its thumbnail, byte for byte."""
    posts = site.http.get("/api/posts/").raise_for_status().json()["results"]

    def read(url: str) -> bytes:
        return site.http.get(httpx2.URL(url).raw_path.decode()).raise_for_status().content

    return {post["title"]: (read(post["image"]), read(post["thumbnail"])) for post in posts}


def pods(kubectl, namespace: str) -> set[str]:
    return set(kubectl("-n", namespace, "get", "pods", "-o", "jsonpath={.items[*].metadata.uid}").split())


def all_ready(kubectl, namespace: str) -> None:
    """Wait until every Deployment and StatefulSet has the pods that it wants, ready; by the pods themselves, for its
    controller may not have seen yet what became of them.
    """

    def there() -> bool:
        kinds = ("-n", namespace, "get", "deployments,statefulsets,pods", "-o", "json")
        items = json.loads(kubectl(*kinds))["items"]
        ready = [item["metadata"]["labels"] for item in items if item["kind"] == "Pod" and is_ready(item)]
        return all(
            sum(1 for labels in ready if item["spec"]["selector"]["matchLabels"].items() <= labels.items())
            == item["spec"]["replicas"]
            for item in items
            if item["kind"] != "Pod"
        )

    wait_for(there, patience=600)


def is_ready(pod) -> bool:
    """Whether it is, and is there to stay."""
    conditions = pod["status"].get("conditions", [])
    return "deletionTimestamp" not in pod["metadata"] and any(
        one["type"] == "Ready" and one["status"] == "True" for one in conditions
    )


def runtime(name: str):
    return next((one for one in local.status(name).components if one.name == "containerd" and one.pid), None)
