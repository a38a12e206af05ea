"""The forms of texts in nuages.yaml (each with a title that validate.FORMS explains), and what all its parts share."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from nuages.spec.units import CPU_PATTERN, DURATION_PATTERN, MEMORY_PATTERN

# RFC 1035 label: what the name of a Service may be; so short that the longest name made of it stays within a
# label's 63 characters (blog-migrate-default-expand-123456).
Name = Annotated[str, Meta(pattern=r"^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$", title="a name")]
Key = Annotated[str, Meta(pattern=r"^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$", title="a short name")]
NamespaceName = Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", title="a namespace name")]
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = rf"{_LABEL}(\.{_LABEL})*"
# What Kubernetes calls an object: RFC 1123 subdomain, of which it counts the whole and not what is between two dots.
_OBJECT = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
ObjectName = Annotated[str, Meta(pattern=rf"^{_OBJECT}$", max_length=253, title="an object name")]
# An ingress class, or a Gateway that may be in a namespace of its own.
ClassName = Annotated[
    str,
    Meta(
        pattern=rf"^({_LABEL}/)?{_OBJECT}$",
        max_length=253,
        title="a class or a Gateway",
    ),
]
# What a shell, and so every entry point, can read.
Variable = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", title="an environment variable's name")]
# https://github.com/distribution/reference: repository without tag or digest; a port is not a tag.
Repository = Annotated[
    str,
    Meta(pattern=r"^([A-Za-z0-9.-]+(:[0-9]+)?/)?[a-z0-9]+([._/-]+[a-z0-9]+)*$", title="an image repository"),
]
Host = Annotated[
    str,
    Meta(pattern=rf"^(\*\.)?{_DOMAIN}$", max_length=253, title="a host name"),
]
Duration = Annotated[str, Meta(pattern=DURATION_PATTERN, title="a duration")]
Memory = Annotated[str, Meta(pattern=MEMORY_PATTERN, title="an amount of memory")]
Cpu = Annotated[str, Meta(pattern=CPU_PATTERN, title="an amount of CPU")]
Module = Annotated[str, Meta(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$", title="a Python module")]
# What `celery -A` takes.
CeleryApp = Annotated[
    str, Meta(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*)?$", title="a Celery app")
]
# A comma separates queues on Celery's command line.
Queue = Annotated[str, Meta(pattern=r"^[^\s,]+$", title="a queue's name")]
DebianPackage = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9+.-]+$", title="a Debian package")]
# PEP 685 and PEP 735: how extras and groups are called.
Group = Annotated[str, Meta(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$", title="an extra or a group")]
MajorVersion = Annotated[str, Meta(pattern=r"^[1-9][0-9]?$", title="a major version")]
# A folder or a file of the project; that it stays inside the project is a rule (rules.py).
ProjectPath = Annotated[str, Meta(pattern=r"^[^/\s\\][^\s\\]*$", title="a path in the project")]
# What begins an URL's path, without a wildcard: both Ingress and HTTPRoute take it as a prefix.
Route = Annotated[str, Meta(pattern=r"^/[A-Za-z0-9._~/-]*$", title="a route")]
Percent = Annotated[str, Meta(pattern=r"^(100|[1-9]?[0-9](\.[0-9]{1,2})?)%$", title="a percentage")]
Factor = Annotated[str, Meta(pattern=r"^[1-9][0-9]?(\.[0-9]{1,2})?x$", title="a factor")]
# A migration as Django and its logs name it.
MigrationName = Annotated[str, Meta(pattern=r"^[A-Za-z_]\w*\.\w+$", title="a migration")]
# https://docs.djangoproject.com/en/stable/ref/checks/: the id of a system check.
CheckId = Annotated[str, Meta(pattern=r"^[\w.]+\.[CEWID]\d{3}$", title="a system check's id")]
# Five fields, or a shorthand of Kubernetes': https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
Cron = Annotated[
    str,
    Meta(pattern=r"^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|\S+( +\S+){4})$", title="a schedule"),
]
# A host's name or its address, v4 or v6.
Address = Annotated[
    str,
    Meta(
        pattern=r"^([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*"
        r"|[0-9A-Fa-f:]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*)$",
        max_length=253,
        title="a host",
    ),
]
Endpoint = Annotated[str, Meta(pattern=r"^https?://[^\s/@]+(/[^\s@]*)?$", title="an address on the web")]
# Where browsers ask for files: below a path of the site, or below an address on the web.
FilesAddress = Annotated[
    str,
    Meta(
        pattern=r"^(https?://[^\s/@?#]+(/[^\s@?#]*)?|/([A-Za-z0-9._~-]+/)+)$", title="a path or an address on the web"
    ),
]
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
BucketUrl = Annotated[
    str, Meta(pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._/-]*)?$", title="a bucket")
]
# https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set, and annotations.
LabelName = Annotated[
    str,
    Meta(
        pattern=rf"^({_DOMAIN}/)?[A-Za-z0-9]([A-Za-z0-9._-]{{0,61}}[A-Za-z0-9])?$",
        title="a label",
    ),
]
LabelValue = Annotated[
    str, Meta(pattern=r"^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$", title="a label's value")
]
# Below which a ConfigMap or a Secret has it:
# https://kubernetes.io/docs/concepts/configuration/configmap/#configmap-object
DataKey = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]+$", max_length=253, title="a key of a ConfigMap or a Secret")]
# https://github.com/distribution/reference: with a tag, a digest, or both.
Image = Annotated[
    str,
    Meta(
        pattern=r"^(([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]+)?/)?[a-z0-9]+([._/-]+[a-z0-9]+)*"
        r"(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64}|@sha512:[0-9a-f]{128})?$",
        title="an image",
    ),
]
# Who the cluster says that a person is with; it may be a URL, or have a prefix.
Crowd = Annotated[str, Meta(pattern=r"^\S(.*\S)?$", title="a group")]
# https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/: ipBlock.cidr
AddressRange = Annotated[str, Meta(pattern=r"^[0-9A-Fa-f.:]+/[0-9]{1,3}$", title="an address range")]
# Where a file or a volume goes inside a container.
ContainerPath = Annotated[str, Meta(pattern=r"^/[^\s:\\]+$", title="a path in the container")]
Command = Annotated[list[str], Meta(min_length=1)]


class Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=False):
    """What all parts share: values, camelCase in YAML, and no field that is not here."""
