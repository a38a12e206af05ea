"""A PostgreSQL that CloudNativePG's operator runs: what it is asked for, how it is reached, and who may ask it."""

import pytest

from nuages.app.components import resolve
from nuages.app.topology import Operated
from nuages.checks.app import check
from nuages.checks.stores import check as stores_check
from nuages.render.access_roles import roles
from nuages.render.cloudnativepg import schedule
from nuages.render.manifest import render
from nuages.render.network import openings
from nuages.spec.load import parse

from .blog import blog, release

SPEC = """
name: blog
image: registry.example.com/acme/blog
services: {postgres: {cloudnativepg: WANTED}}
databases: {default: postgres}
MORE
environments: {local: {}}
"""


def app(wanted="{}", more=""):
    return resolve(parse(SPEC.replace("WANTED", wanted).replace("MORE", more).encode(), "nuages.yaml"), "local")


def objects(made):
    return render(made, release()).objects


def found(made, kind):
    return [item for item in objects(made) if item["kind"] == kind]


def test_its_operator_is_asked_for_instances_and_never_to_remove_one():
    (cluster,) = found(app("{instances: 3, storage: 20Gi, resources: {memory: 1Gi}}"), "Cluster")
    assert cluster["metadata"]["annotations"] == {"nuages.dev/data": "true"}
    spec = cluster["spec"]
    assert (spec["instances"], spec["storage"], spec["enablePDB"]) == (3, {"size": "20Gi"}, True)
    assert spec["bootstrap"]["initdb"] == {"database": "blog", "owner": "app", "dataChecksums": True}
    assert spec["postgresql"]["parameters"]["max_connections"] == "51"


def test_a_budget_of_one_instance_would_hold_a_node_for_ever():
    (cluster,) = found(app("{instances: 1}"), "Cluster")
    assert cluster["spec"]["enablePDB"] is False


def test_nothing_of_a_server_of_our_own_is_made():
    made = objects(app())
    assert not [item for item in made if item["kind"] == "StatefulSet"]
    assert "blog-postgres" not in {item["metadata"]["name"] for item in made}


def test_the_project_is_led_to_the_instance_that_is_written_to_and_checks_who_it_is():
    (web,) = [item for item in found(app(), "Deployment") if item["metadata"]["name"] == "blog-web-main"]
    pod = web["spec"]["template"]["spec"]
    told = {one["name"]: one for one in pod["containers"][0]["env"]}
    for name, key in (("POSTGRES_USER", "username"), ("POSTGRES_PASSWORD", "password")):
        assert told[name]["valueFrom"]["secretKeyRef"] == {"name": "blog-db-app", "key": key}
    assert told["DATABASE_URL"]["value"] == (
        "postgres://$(POSTGRES_USER):$(POSTGRES_PASSWORD)@blog-db-rw:5432/blog"
        "?sslmode=verify-full&sslrootcert=/run/authorities/postgres/ca.crt"
    )
    (volume,) = [one for one in pod["volumes"] if one["name"] == "authority-postgres"]
    # The Secret has the authority's own key as well: no pod of the project gets that.
    assert volume["secret"] == {"secretName": "blog-db-ca", "items": [{"key": "ca.crt", "path": "ca.crt"}]}


def test_its_instances_are_walled_in_and_reach_each_other_the_cluster_and_their_bucket():
    made = app("{backup: {bucket: {url: s3://backups, secret: s3}}}")
    pods = Operated("blog-db")
    ends = {one.name: one for one in openings(made, release().build) if pods in (one.client, one.server)}
    assert [*ends] == [
        "cloudnativepg",
        "cloudnativepg-peers",
        "cloudnativepg-from-operator",
        "cloudnativepg-to-api",
        "cloudnativepg-to-backups.s3.amazonaws.com-443",
    ]
    assert ends["cloudnativepg"].ports == (5432,)
    policies = {item["metadata"]["name"]: item["spec"] for item in found(made, "NetworkPolicy")}
    denied = policies["blog-cloudnativepg-default-deny"]
    assert denied == {
        "podSelector": {"matchLabels": {"cnpg.io/cluster": "blog-db"}},
        "policyTypes": ["Ingress", "Egress"],
    }
    (asked,) = policies["blog-to-cloudnativepg"]["egress"]
    assert asked["to"] == [{"podSelector": {"matchLabels": {"cnpg.io/cluster": "blog-db"}}}]


@pytest.mark.parametrize(
    ("cron", "expected"),
    [("0 2 * * *", "0 0 2 * * *"), ("30 2 * * 0", "0 30 2 * * 0"), ("15 4 1 * mon", "0 15 4 1 * mon"), ("@daily",) * 2],
)
def test_its_backups_are_at_the_time_that_the_spec_says(cron, expected):
    assert schedule(cron) == expected


def test_backups_go_to_the_bucket_by_its_secret_or_by_the_identity_of_the_pods():
    (cluster,) = found(
        app("{backup: {days: 30, bucket: {url: s3://backups/x, secret: s3, region: eu-central-1}}}"), "Cluster"
    )
    store = cluster["spec"]["backup"]["barmanObjectStore"]
    assert (store["destinationPath"], cluster["spec"]["backup"]["retentionPolicy"]) == ("s3://backups/x", "30d")
    assert store["s3Credentials"]["secretAccessKey"] == {"name": "s3", "key": "AWS_SECRET_ACCESS_KEY"}
    assert cluster["spec"]["env"] == [{"name": "AWS_DEFAULT_REGION", "value": "eu-central-1"}]

    account = "serviceAccount: {annotations: {eks.amazonaws.com/role-arn: arn:aws:iam::1:role/blog}}"
    (cluster,) = found(app("{backup: {bucket: {url: s3://backups}}}", account), "Cluster")
    assert cluster["spec"]["backup"]["barmanObjectStore"]["s3Credentials"] == {"inheritFromIAMRole": True}
    assert cluster["spec"]["serviceAccountTemplate"]["metadata"]["annotations"] == {
        "eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/blog"
    }


def test_connections_are_counted_as_of_a_server_of_our_own():
    (finding,) = [one for one in check(app(more="web: {main: {replicas: 20}}")) if one.id == "app.E101"]
    assert finding.place.path == "services.postgres.cloudnativepg.resources.memory"


def test_pgbouncer_stands_before_a_server_of_our_own_only():
    assert "app.E126" in {one.id for one in stores_check(app(more="pool: {pgbouncer: {}}"))}


def test_who_deploys_may_change_it_and_nobody_may_remove_it():
    rules = {
        item["metadata"]["name"]: [rule["verbs"] for rule in item["rules"] if "clusters" in rule["resources"]]
        for item in roles(app(more="access: {viewers: [v], developers: [d], operators: [o]}"))
        if item["kind"] == "Role"
    }
    changes = ["get", "list", "watch", "create", "update", "patch"]
    assert rules == {"blog-viewer": [changes[:3]], "blog-developer": [changes], "blog-operator": [changes]}
    assert not [rule for item in roles(blog()) for rule in item.get("rules", []) if "clusters" in rule["resources"]]
