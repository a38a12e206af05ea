"""The cable between this machine and a node: a veth pair, a route to the LoadBalancer pool, and one nftables table.

Machine .1, node .2, pool .128-.254 of 10.213.N.0/24. With the node's network namespace all of it goes but the table.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import NamedTuple

from nuages.errors import CommandFailed, MissingTool
from nuages.host.command import run
from nuages.local.components import SERVICE_RANGE


class Network(NamedTuple):
    """The addresses of cluster number N."""

    number: int

    @property
    def interface(self) -> str:
        """The machine's end of the cable."""
        return f"nuages{self.number}"

    @property
    def host(self) -> str:
        """The machine's address on it."""
        return f"10.213.{self.number}.1"

    @property
    def node(self) -> str:
        """The node's address."""
        return f"10.213.{self.number}.2"

    @property
    def pool(self) -> str:
        """First and last address for LoadBalancer services."""
        return f"10.213.{self.number}.128-10.213.{self.number}.254"

    @property
    def pool_range(self) -> str:
        """The same as a route's destination."""
        return f"10.213.{self.number}.128/25"

    @property
    def range(self) -> str:
        """All of it."""
        return f"10.213.{self.number}.0/24"


def free(taken: Collection[int]) -> Network:
    """The first network that no cluster has and no interface or route of this machine uses."""
    links = json.loads(run(["ip", "-json", "-4", "address"]))
    used = {address["local"] for link in links for address in link["addr_info"]}
    used |= {route["dst"] for route in json.loads(run(["ip", "-json", "-4", "route"]))}
    for number in range(256):
        if number not in taken and not any(one.startswith(f"10.213.{number}.") for one in used):
            return Network(number)
    raise MissingTool("no network of 10.213.0.0/16 is free", hint="take a cluster down: nuages cluster down NAME")


def connect(network: Network, pid: int, table: str) -> None:
    """Lay the cable into the network namespace of process `pid`, and put the table beside it."""
    run(
        ["ip", "-batch", "-"],
        stdin=f"""\
link add {network.interface} type veth peer name eth0 netns {pid}
address add {network.host}/25 dev {network.interface}
link set {network.interface} up
route add {network.pool_range} via {network.node}
""",
    )
    run(
        ["nsenter", f"--net=/proc/{pid}/ns/net", "ip", "-batch", "-"],
        stdin=f"""\
address add {network.node}/25 dev eth0
link set eth0 up
route add default via {network.host}
""",
    )
    run(["nft", "-f", "-"], stdin=ruleset(network, table))


def ruleset(network: Network, table: str) -> str:
    """The nftables table, replaced as a whole: `add` then `delete` so that it need not exist before.

    The machine forwards for the node, so a neighbour could route to it: what others begin is dropped, as what the
    machine itself sends does not pass `forward`. A Service's address that the node knows no way for yet is refused:
    the machine's own network may answer for it, and a client that keeps its connections would stay there.
    """
    return f"""\
add table ip {table}
delete table ip {table}
table ip {table} {{
    chain postrouting {{
        type nat hook postrouting priority srcnat;
        ip saddr {network.range} oifname != "{network.interface}" masquerade
    }}
    chain forward {{
        type filter hook forward priority filter;
        oifname "{network.interface}" ct state new drop
        iifname "{network.interface}" ip daddr {SERVICE_RANGE} reject
    }}
}}
"""


def disconnect(network: Network, table: str) -> None:
    """Take back what the namespace's end did not: the table, and a cable whose namespace is still being torn down."""
    run(["nft", "-f", "-"], stdin=f"add table ip {table}\ndelete table ip {table}\n")
    if network.interface not in _links():
        return
    try:
        run(["ip", "link", "delete", network.interface])
    except CommandFailed:
        # The namespace's end was quicker, which is as good.
        if network.interface in _links():
            raise


def _links() -> set[str]:
    return {link["ifname"] for link in json.loads(run(["ip", "-json", "link"]))}
