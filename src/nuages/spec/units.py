"""Durations and quantities: how they are written, and what they amount to.

Durations are numbers with ms, s, m, h or d, joined freely (1h30m). Quantities are Kubernetes' own
(https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/), less what nobody means:
memory in milli-bytes, or bytes without a unit.
"""

from __future__ import annotations

import re
from decimal import Decimal

DURATION_PATTERN = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$"
MEMORY_PATTERN = r"^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)$"
CPU_PATTERN = r"^([0-9]+m|[0-9]+(\.[0-9]{1,3})?)$"

_SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600), "d": Decimal(86400)}
_BYTES = {suffix: 1024**power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi"), 1)} | {
    suffix: 1000**power for power, suffix in enumerate(("k", "M", "G", "T", "P"), 1)
}


def seconds(duration: str) -> float:
    """1h30m is 5400.0; the text has passed DURATION_PATTERN."""
    return float(
        sum(Decimal(number) * _SECONDS[unit] for number, unit in re.findall(r"([0-9.]+)(ms|s|m|h|d)", duration))
    )


def bytes_of(memory: str) -> int:
    """256Mi is 268435456; the text has passed MEMORY_PATTERN."""
    number, suffix = re.fullmatch(r"([0-9.]+)([A-Za-z]+)", memory).groups()  # type: ignore[union-attr]
    return int(Decimal(number) * _BYTES[suffix])


def millicores(cpu: str) -> int:
    """250m is 250, 1.5 is 1500; the text has passed CPU_PATTERN."""
    return int(cpu[:-1]) if cpu.endswith("m") else int(Decimal(cpu) * 1000)


def canonical_cpu(cpu: str) -> str:
    """As the API server writes it back: 1.5 is 1500m, 2000m is 2."""
    thousandths = millicores(cpu)
    return f"{thousandths}m" if thousandths % 1000 else str(thousandths // 1000)


def canonical_memory(memory: str) -> str:
    """As the API server writes it back: the largest unit of its family that leaves no fraction; 1.5Gi is 1536Mi."""
    amount, binary = bytes_of(memory), memory.endswith("i")
    units = [(size, unit) for unit, size in _BYTES.items() if unit.endswith("i") == binary and amount % size == 0]
    size, unit = max(units, default=(1, ""))
    return f"{amount // size}{unit}"
