"""What stands and can't become what is wanted."""

import pytest

from nuages.release import standing


def postgres(*arguments):
    container = {"name": "postgres", "image": "postgres:17", "args": list(arguments)}
    return {
        "kind": "StatefulSet",
        "metadata": {
            "name": "blog-postgres",
            "namespace": "blog-production",
            "labels": {"app.kubernetes.io/component": "postgres", "nuages.dev/environment": "production"},
        },
        "spec": {"volumeClaimTemplates": [{}], "template": {"spec": {"containers": [container]}}},
    }


@pytest.mark.parametrize(
    ("has", "wanted", "refused"),
    [
        (["-c", "max_connections=25"], ["-c", "max_connections=51"], ["release.E322"]),
        (["-c", "max_connections=51"], ["-c", "max_connections=25"], []),
        (["-c", "max_connections=25"], ["-c", "max_connections=25", "-c", "work_mem=8MB"], []),
        (["-c", "max_connections=25"], [], []),
    ],
)
def test_more_connections_than_the_database_was_made_for_are_not_counted_on(has, wanted, refused):
    found = standing.verdict(postgres(*wanted), postgres(*has))
    assert [one.id for one in found] == refused
    assert all(one.hint.startswith("nuages services apply postgres -e production, and deploy again") for one in found)
