"""`nuages cluster`: a real Kubernetes on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from nuages.cli.asked import done_option
from nuages.cli.console import console, duration

name_option = click.option(
    "--name", default="nuages", show_default=True, help="Several clusters can live side by side."
)


@click.group()
def command() -> None:
    """A real Kubernetes on this machine: up, down, status, load, kubeconfig."""


@command.command()
@name_option
@click.option(
    "--with",
    "addons",
    multiple=True,
    metavar="ADDON",
    help="Add traefik, cert-manager, metrics-server, registry or bucket.",
)
@click.option("--api-only", is_flag=True, help="etcd, API server and controllers only: no node, no root, 4 s.")
@click.option("--provider", help="nuages, kind, k3d or minikube; by default one that is installed, then nuages.")
@click.option("--context", help="Use this context of your kubeconfig, and create nothing.")
@done_option
def up(
    *, name: str, addons: tuple[str, ...], api_only: bool, provider: str | None, context: str | None, as_json: bool
) -> None:
    """Bring a cluster up, heal it, or leave it as it is.

    \b
    nuages cluster up                        a node, DNS, storage, load balancers
    nuages cluster up --with traefik         and http://NAME.localhost:8080
    nuages cluster up --name two             a second one beside it
    """
    from nuages.local import attach, cluster

    if context:
        version = attach.reach(context)
        if as_json:
            console.json({"schema": 1, "context": context, "version": version})
        else:
            console.print(f"context {context} answers: Kubernetes {version}")
        return
    info = cluster.up(name, api_only=api_only, addons=addons, provider=provider, sink=console.sink)
    if as_json:
        console.json(cluster.status(name))
        return
    console.print(f"kubectl --kubeconfig {info.kubeconfig} get pods -A")
    if info.http_port:
        console.print(f"http://NAME.localhost:{info.http_port}")


@command.command()
@name_option
@done_option
def down(name: str, as_json: bool) -> None:
    """End a cluster and leave nothing of it, its volumes included."""
    from nuages.local import cluster

    was = cluster.down(name, console.sink)
    if as_json:
        console.json({"schema": 1, "name": name, "removed": was})
    elif not was:
        console.print(f"there is no cluster {name}")


@command.command()
@name_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(name: str, as_json: bool) -> None:
    """Show its processes, node, add-ons and addresses; exit code 1 where something is not well."""
    from nuages.local import cluster

    found = cluster.status(name)
    if as_json:
        console.json(found)
    else:
        state = "healthy" if found.healthy else "not well" if found.running else "not running"
        console.print(f"cluster {found.name}  {state}  context {found.context}  run by {found.provider}")
        for one in found.components:
            pid = f"pid {one.pid}" if one.pid else "not running"
            word = "ready" if one.ready else "not ready"
            restarts = f"  {one.restarts} restarts" if one.restarts else ""
            console.print(f"  {one.name:<24} {word:<10} {pid:<12} {duration(one.uptime)}{restarts}")
        if found.node:
            console.print(f"  {'node':<24} {found.node}")
        if found.addons:
            console.print(f"  {'add-ons':<24} {', '.join(found.addons)}")
        for what, address in found.addresses.items():
            console.print(f"  {what:<24} {address}")
        console.print(f"  {'kubeconfig':<24} {found.kubeconfig}")
    if not found.healthy:
        click.get_current_context().exit(1)


@command.command()
@name_option
@click.argument("archives", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@done_option
def load(name: str, archives: tuple[Path, ...], as_json: bool) -> None:
    """Load image archives (OCI, or of `docker save`) into the node.

    \b
    docker save blog:1 -o blog.tar && nuages cluster load blog.tar
    """
    from nuages.local import cluster

    cluster.load(name, archives, console.sink)
    if as_json:
        console.json({"schema": 1, "name": name, "loaded": [str(archive) for archive in archives]})


@command.command()
@name_option
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file.")
@click.option("--merge", is_flag=True, help="Add the context to your own kubeconfig; your others stay as they are.")
def kubeconfig(name: str, output: Path | None, merge: bool) -> None:
    """Print where the kubeconfig is, write it to a file, or add it to your own.

    \b
    export KUBECONFIG=$(nuages cluster kubeconfig)
    nuages cluster kubeconfig --merge && kubectl --context nuages-nuages get pods
    """
    from nuages.local import cluster
    from nuages.local import kubeconfig as files

    if output and merge:
        raise click.UsageError("--output and --merge exclude each other")
    source = cluster.kubeconfig(name)
    if output:
        files.export(source, output)
    elif merge:
        files.merge(source, files.user_file())
    console.print(str(output or (files.user_file() if merge else source)))


@command.command()
@click.argument("program")
def tool(program: str) -> None:
    """Print where a program of the toolchain is (kubectl, helm), built where it is missing.

    \b
    alias kubectl=$(nuages cluster tool kubectl)
    """
    from nuages.errors import UsageError
    from nuages.local import toolchain

    if program not in toolchain.PACKAGES:
        raise UsageError(f"no program {program}", hint=f"there are {', '.join(sorted(toolchain.PACKAGES))}")
    console.print(str(toolchain.tool(program, console.sink)))
