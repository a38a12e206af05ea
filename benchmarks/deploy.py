"""A change of configuration: `nuages deploy` beside `kubectl apply` + `rollout status`, and `helm upgrade --wait`.

Each has a copy of the blog in a namespace of its own: the same image, the same objects, as many replicas. The first
release of all copies is made by nuages, which gives each its Postgres and its secrets; then kubectl and helm take the
objects of the web over in theirs. Every round changes COLOR, which names another ConfigMap and so rolls all pods.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.blog import COLOURS, DEPLOYMENT, PATIENCE, Blog, live
from benchmarks.measure import ratio, rounds, say, seconds, table
from nuages.app.components import resolve
from nuages.app.objects import Object
from nuages.cli.console import console
from nuages.kube.client import Cluster
from nuages.local import toolchain
from nuages.release import records
from nuages.release.record import Record
from nuages.render.manifest import Release, render
from nuages.render.text import yaml_of
from nuages.spec.load import load

NUAGES, WHOLE = "nuages deploy --no-build", "nuages deploy"
KUBECTL, HELM = "kubectl apply + rollout status", "helm upgrade --wait"


class Competitor(NamedTuple):
    """`change` brings the blog to its other colour, and answers in how many seconds."""

    name: str
    blog: Blog
    change: Callable[[], float]


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks deploy", description=__doc__)
    parser.add_argument("--cluster", default="nuages", help="the local cluster; brought up where it does not run")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(argv)

    with (
        tempfile.TemporaryDirectory() as work,
        live(Path(work), options.cluster, "bench-nuages", "bench-kubectl", "bench-helm") as blogs,
    ):
        competitors = [
            nuages(NUAGES, blogs[0], "--no-build"),
            kubectl(blogs[1]),
            helm(blogs[2]),
            nuages(WHOLE, blogs[0]),
        ]
        samples: dict[str, list[float]] = {competitor.name: [] for competitor in competitors}
        for number, competitor in rounds(options.rounds, competitors):
            taken = competitor.change()
            samples[competitor.name].append(taken)
            competitor.blog.settle()
            say(f"round {number} of {options.rounds}: {competitor.name} {taken:.1f} s")
    table(samples)
    ratio(samples, NUAGES, KUBECTL, "at most 1.10")
    ratio(samples, NUAGES, HELM, "below 0.90")


def nuages(name: str, blog: Blog, *options: str) -> Competitor:
    """Edit the spec, unmeasured; deploy."""

    def change() -> float:
        blog.paint(blog.other_colour())
        return blog.deploy(*options)

    return Competitor(name, blog, change)


def kubectl(blog: Blog) -> Competitor:
    """Apply a file with the objects in the wanted colour; wait as its users do."""
    files = {}
    for colour in COLOURS:
        files[colour] = blog.folder.with_name(f"{blog.namespace}-{colour}.yaml")
        files[colour].write_text(yaml_of(objects(blog, colour)))
    blog.paint(COLOURS[0])

    def change() -> float:
        blog.colour = blog.other_colour()
        # Server-side, as nuages does; it is also the quicker way.
        apply = ("apply", "--server-side", "--force-conflicts", f"--filename={files[blog.colour]}")
        return seconds(*blog.kubectl, *apply) + seconds(*blog.kubectl, "rollout", "status", DEPLOYMENT, PATIENCE)

    for _ in COLOURS:  # unmeasured: from here on the objects are kubectl's
        change()
        blog.settle()
    return Competitor(KUBECTL, blog, change)


def helm(blog: Blog) -> Competitor:
    """Upgrade a chart whose templates are the same objects, with the colour among its values."""
    chart = blog.folder.with_name(f"{blog.namespace}-chart")
    names = write_chart(chart, blog)
    program = toolchain.build({"helm"}, console.sink) / "helm"
    place = (f"--kubeconfig={blog.info.kubeconfig}", f"--namespace={blog.namespace}")

    def change(*options: str) -> float:
        blog.colour = blog.other_colour()
        values = f"--set=color={blog.colour},config={names[blog.colour]}"
        return seconds(program, *place, "upgrade", "blog", chart, "--wait", "--timeout=180s", values, *options)

    for _ in COLOURS:  # unmeasured: from here on the objects are helm's, the ConfigMaps of both colours too
        change("--install", "--take-ownership")
        blog.settle()
    return Competitor(HELM, blog, change)


def write_chart(chart: Path, blog: Blog) -> dict[str, str]:
    """Write a chart that renders the blog's objects; answers the name of the ConfigMap in each colour."""
    rendered = {colour: objects(blog, colour) for colour in COLOURS}
    blog.paint(COLOURS[0])
    names = {
        colour: next(item["metadata"]["name"] for item in items if item["kind"] == "ConfigMap")
        for colour, items in rendered.items()
    }
    templates = {}
    for colour, items in rendered.items():
        text = yaml_of(items)
        assert "{{" not in text, "the objects would need escaping in a template"
        text = text.replace(f"COLOR: {colour}\n", "COLOR: {{ .Values.color }}\n")
        templates[colour] = text.replace(names[colour], "{{ .Values.config }}")
    first, second = templates.values()
    assert first == second, "the colours differ in more than the ConfigMap's name and COLOR"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: blog\nversion: 0.1.0\n")
    (chart / "templates" / "objects.yaml").write_text(first)
    return names


def objects(blog: Blog, colour: str) -> list[Object]:
    """What nuages applies for a change of configuration: all but what is there already and is not changed by a release.

    So without the namespace, without Postgres (a release never changes it), and without the Job: nothing to migrate.
    """
    blog.paint(colour)
    app = resolve(load(blog.spec), "local")

    async def serving() -> Record:
        async with Cluster.connect(blog.info.kubeconfig, blog.info.context) as cluster:
            found = records.live(await records.history(cluster, app.namespace, app.name, app.environment))
        assert found, f"no release is live in {app.namespace}"
        return found.record

    record = asyncio.run(serving())
    release = Release(number=record.number, template=record.template, build=record.build, secrets=record.secrets)
    manifest = render(app, release)
    foundation = [item for item in manifest.foundation if item["kind"] != "Namespace"]
    return [*foundation, *manifest.web, *manifest.exposure]
