"""What holds for all that is rendered, whatever the app."""

from __future__ import annotations

import re

import pytest
import yaml

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.app.topology import PROJECT
from nuages.checks import objects as checks
from nuages.render.extras import template_of
from nuages.render.manifest import render
from nuages.render.text import yaml_of

from .blog import ENVIRONMENTS, EXAMPLE_ENVIRONMENTS, SPEC, any_app, blog, release

pytestmark = pytest.mark.unit


@pytest.fixture(params=[*ENVIRONMENTS, *EXAMPLE_ENVIRONMENTS])
def app(request: pytest.FixtureRequest) -> App:
    return any_app(request.param)


@pytest.fixture
def objects(app: App) -> list[Object]:
    return render(app, release()).objects


def find(items: list[Object], kind: str, name: str) -> Object:
    (found,) = [item for item in items if item["kind"] == kind and item["metadata"]["name"] == name]
    return found


def local() -> list[Object]:
    return render(blog(), release()).objects


def server(items: list[Object]) -> Object:
    container: Object = find(items, "Deployment", "blog-web-main")["spec"]["template"]["spec"]["containers"][0]
    return container


def test_no_check_finds_anything_in_what_we_render(objects: list[Object]) -> None:
    assert checks.check(objects) == []


def test_every_object_says_whose_it_is(app: App) -> None:
    for item in render(app, release()).objects:
        labels = item["metadata"]["labels"]
        assert labels["app.kubernetes.io/managed-by"] == "nuages"
        assert labels["app.kubernetes.io/part-of"] == app.name
        if item["kind"] != "Namespace":
            assert labels["app.kubernetes.io/instance"] == app.instance
            assert item["metadata"]["namespace"] == app.namespace


def test_names_and_labels_are_ones_kubernetes_takes() -> None:
    longest = SPEC.replace("name: blog", f"name: {'b' * 30}").replace("main:", f"{'m' * 20}:")
    longest = longest.replace(
        "services: {",
        f"workers: {{{'w' * 20}: {{celery: b}}}}\nvolumes: {{{'v' * 20}: data}}\nservices: {{redis: {{run: }}, ",
    )
    for item in render(blog(spec=longest), release(999_999)).objects:
        assert len(item["metadata"]["name"]) <= 63, item["metadata"]["name"]
        assert all(len(value) <= 63 for value in item["metadata"]["labels"].values())


def test_no_secret_is_ever_rendered(objects: list[Object]) -> None:
    assert not [item for item in objects if item["kind"] == "Secret"]
    text = yaml_of(objects)
    assert "password:" not in text.replace("password: scram", "")


def test_every_volume_claim_is_marked_as_data(objects: list[Object]) -> None:
    for item in objects:
        claims = (
            [item] if item["kind"] == "PersistentVolumeClaim" else item.get("spec", {}).get("volumeClaimTemplates", [])
        )
        for claim in claims:
            assert claim["metadata"]["annotations"]["nuages.dev/data"] == "true"


def test_every_selector_finds_its_pods_and_no_others(objects: list[Object]) -> None:
    templates = {
        item["metadata"]["name"]: made["metadata"]["labels"] for item in objects if (made := template_of(item))
    }
    for item in objects:
        match item["kind"]:
            case "Deployment" | "StatefulSet" | "PodDisruptionBudget":
                wanted = item["spec"]["selector"]["matchLabels"]
            case "Service":
                wanted = item["spec"]["selector"]
            case _:
                continue
        found = [name for name, labels in templates.items() if wanted.items() <= labels.items()]
        assert len(found) == 1, item["metadata"]["name"]


def test_the_same_input_gives_the_same_bytes() -> None:
    assert yaml_of(local()) == yaml_of(local())


def test_the_order_in_which_variables_are_written_changes_nothing() -> None:
    other = SPEC.replace('{COLOR: orange, ALLOWED_HOSTS: "*"}', '{ALLOWED_HOSTS: "*", COLOR: orange}')
    assert yaml_of(render(blog(spec=other), release()).objects) == yaml_of(local())


def test_a_changed_variable_makes_a_new_config_map_and_rolls_the_pods() -> None:
    maroon = render(blog(spec=SPEC.replace("orange", "maroon")), release()).objects
    names = [{item["metadata"]["name"] for item in items if item["kind"] == "ConfigMap"} for items in (local(), maroon)]
    assert names[0].isdisjoint(names[1])
    assert server(local())["envFrom"] != server(maroon)["envFrom"]


def test_a_release_that_changes_nothing_rolls_no_pod() -> None:
    assert render(blog(), release(7, template=1)).web == render(blog(), release(1)).web


def test_scaling_changes_the_deployment_and_no_pod() -> None:
    scaled = render(blog(spec=SPEC.replace("replicas: 3", "replicas: 5")), release()).objects
    deployments = [find(items, "Deployment", "blog-web-main")["spec"] for items in (local(), scaled)]
    assert deployments[0]["replicas"] != deployments[1]["replicas"]
    assert deployments[0]["template"] == deployments[1]["template"]


def test_a_migration_is_tried_again_under_a_new_name() -> None:
    names = {render(blog(), release(number)).expand[0]["metadata"]["name"] for number in (3, 4)}
    assert names == {"blog-migrate-default-expand-3", "blog-migrate-default-expand-4"}


def test_postgres_keeps_its_data_below_its_volume() -> None:
    pod = find(local(), "StatefulSet", "blog-postgres")["spec"]["template"]["spec"]["containers"][0]
    environment = {variable["name"]: variable.get("value") for variable in pod["env"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in pod["volumeMounts"]}
    assert environment["PGDATA"].startswith(f"{mounts['data']}/")


def test_the_password_reaches_the_url_by_reference_only() -> None:
    environment = {variable["name"]: variable for variable in server(local())["env"]}
    names = list(environment)
    assert environment["DATABASE_URL"]["value"] == (
        "postgres://$(POSTGRES_USER):$(POSTGRES_PASSWORD)@blog-postgres:5432/blog"
    )
    for variable, key in (("POSTGRES_USER", "user"), ("POSTGRES_PASSWORD", "password")):
        assert environment[variable]["valueFrom"] == {"secretKeyRef": {"name": "blog-postgres", "key": key}}
        # A variable can refer only to those before it.
        assert names.index(variable) < names.index("DATABASE_URL")


def test_a_project_that_declares_release_keeps_its_own() -> None:
    own = SPEC.replace("COLOR: orange", "COLOR: orange, RELEASE: mine")
    container = server(render(blog(spec=own), release()).objects)
    assert "RELEASE" not in [variable["name"] for variable in container["env"]]


def test_uploads_go_where_the_project_puts_them() -> None:
    assert {"name": "media", "mountPath": "/app/media"} in server(local())["volumeMounts"]


def test_nothing_may_talk_to_postgres_but_what_runs_the_project() -> None:
    policy = find(local(), "NetworkPolicy", "blog-postgres")["spec"]
    (opening,) = policy["ingress"]
    (clients,) = [peer["podSelector"] for peer in opening["from"]]
    assert clients["matchLabels"] == {"app.kubernetes.io/name": "blog", "app.kubernetes.io/instance": "blog-local"}
    assert [part["key"] for part in clients["matchExpressions"]] == ["app.kubernetes.io/component"]
    assert clients["matchExpressions"][0]["values"] == [*PROJECT, "backup"]
    assert opening["ports"] == [{"protocol": "TCP", "port": 5432}]
    outward = find(local(), "NetworkPolicy", "blog-to-postgres")["spec"]
    assert outward["podSelector"] == clients


def test_workers_that_a_release_removes_keep_the_way_to_their_data_stores() -> None:
    def walls(text: str) -> list[object]:
        return [item for item in render(blog(spec=text), release()).foundation if item["kind"] == "NetworkPolicy"]

    more = "workers: {mail: {command: [python, manage.py, qcluster]}}\n"
    assert walls(SPEC + more) == walls(SPEC)


def test_pods_are_denied_everything_that_no_policy_opens() -> None:
    denial = find(local(), "NetworkPolicy", "blog-default-deny")["spec"]
    assert denial["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in denial
    assert "egress" not in denial


def test_the_yaml_reads_back_as_the_same_objects(objects: list[Object]) -> None:
    text = yaml_of(objects)
    assert list(yaml.safe_load_all(text)) == objects
    assert "&id" not in text


def test_a_change_of_the_way_in_takes_nothing_from_the_pods_that_still_serve() -> None:
    """What is applied before the new pods start must not narrow a wall of the old ones, by a name that both have."""
    walls = {
        environment: {
            item["metadata"]["name"]: item["spec"]
            for item in render(blog(environment), release()).foundation
            if item["kind"] == "NetworkPolicy"
        }
        for environment in ("local", "ingress", "gateway", "nodeport")
    }
    for old in walls.values():
        for new in walls.values():
            for name in old.keys() & new.keys():
                assert openings(old[name]) == openings(new[name])


def openings(policy: Object) -> str:
    """What a policy lets through, without the name of the environment."""
    return re.sub(r"blog-(local|ingress|gateway|nodeport)", "", str([policy.get("ingress"), policy.get("egress")]))
