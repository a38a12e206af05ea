"""What would become of a Cluster that is there."""

from nuages.release.services.operated import fitting, stuck

IMAGE = "ghcr.io/cloudnative-pg/postgresql"


def cluster(size="10Gi", image=f"{IMAGE}:17", **more):
    return {"spec": {"storage": {"size": size}, "imageName": image, "bootstrap": {"initdb": {}}, **more}}


def ids(made, live):
    return [(one.id, one.place.path.rpartition(".")[2]) for one in stuck(made, live)]


def test_volumes_never_shrink_and_another_major_version_is_its_operators_own_way():
    assert ids(cluster(size="5Gi"), cluster()) == [("release.E382", "storage")]
    assert ids(cluster(image=f"{IMAGE}:18"), cluster()) == [("release.E384", "version")]
    assert ids(cluster(size="20Gi"), cluster(image=f"{IMAGE}:17.5-bookworm")) == []


def test_how_it_began_and_a_minor_version_that_somebody_named_stay():
    live = cluster(image=f"{IMAGE}:17.5", bootstrap={"recovery": {"source": "old"}})
    applied = fitting(cluster(size="20Gi"), live)["spec"]
    assert (applied["bootstrap"], applied["imageName"]) == ({"recovery": {"source": "old"}}, f"{IMAGE}:17.5")
    assert applied["storage"] == {"size": "20Gi"}
