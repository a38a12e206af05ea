"""The spec's parts about a release: canary, hooks, static files, system checks."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from nuages.spec.forms import CheckId, Command, DataKey, Duration, Factor, ObjectName, Part, Percent


class Checks(Part, frozen=True, kw_only=True):
    """`manage.py check --deploy`, which a release asks before it migrates."""

    ignore: Annotated[
        list[CheckId],
        Meta(description="Warnings that hold no release back.", examples=[["security.W004"]]),
    ] = field(default_factory=list)


class Canary(Part, frozen=True, kw_only=True):
    """A release that serves some requests first, judged beside the one that serves the rest."""

    steps: Annotated[
        list[Percent],
        Meta(
            min_length=1,
            description="The share of requests, step by step.",
            examples=[["10%", "50%"]],
            extra_json_schema={"default": ["10%", "50%"]},
        ),
    ] = field(default_factory=lambda: ["10%", "50%"])
    pause: Annotated[Duration, Meta(description="How long each step is watched.", examples=["5m"])] = "5m"
    error_rate: Annotated[
        Percent, Meta(description="Errors (5xx) beyond those of the serving release.", examples=["1%"])
    ] = "1%"
    latency_p95: Annotated[
        Factor, Meta(description="How much slower than the serving release, at the 95th percentile.", examples=["1.2x"])
    ] = field(default="1.2x", name="latencyP95")


class Webhook(Part, frozen=True, kw_only=True):
    """A POST of the event as JSON."""

    secret: Annotated[ObjectName, Meta(description="The Secret that holds the address.", examples=["slack"])]
    key: Annotated[DataKey, Meta(description="The key of the address in that Secret.")] = "url"


class Hook(Part, frozen=True, kw_only=True):
    """What is done at one point of a release; exactly one of them."""

    manage: Annotated[
        Command | None, Meta(description="A manage.py command in the new image.", examples=[["warm_cache"]])
    ] = None
    command: Annotated[
        Command | None, Meta(description="Any command in the new image.", examples=[["python", "notify.py"]])
    ] = None
    webhook: Annotated[Webhook | None, Meta(description="A request to an address kept in a Secret.")] = None


class Hooks(Part, frozen=True, kw_only=True):
    """What is done beside the phases of a release. One before it went live that fails, fails the release."""

    before_expand: Annotated[Hook | None, Meta(description="Before the database is touched.")] = field(
        default=None, name="before-expand"
    )
    after_expand: Annotated[Hook | None, Meta(description="When migrations are applied, before the first new pod.")] = (
        field(default=None, name="after-expand")
    )
    after_rollout: Annotated[Hook | None, Meta(description="When all new pods serve.")] = field(
        default=None, name="after-rollout"
    )
    released: Annotated[Hook | None, Meta(description="When the release is live.")] = None
    failed: Annotated[Hook | None, Meta(description="When it failed.")] = None
