"""Waiting for what no watch can tell: an answer from outside. Each takes as long as it takes: a machine may be slow."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import TypeVar

import httpx2

T = TypeVar("T")
PATIENCE = 300  # seconds; only what is broken takes them
IN_A_ROW = 10

# What a question may end in that is asked too early: no way there yet, a command that found nobody, a page in place of
# the answer, or one that lacks a part.
EARLY = (OSError, http.client.HTTPException, httpx2.HTTPError, AssertionError, ValueError, LookupError)


def wait_for(what: Callable[[], T], patience: float = PATIENCE) -> T:
    """What a question answers, asked until it is something; no answer at all is one that may come yet."""
    end = time.monotonic() + patience
    while True:
        failed: Exception | None = None
        try:
            if answer := what():
                return answer
        except EARLY as error:
            failed = error
        if time.monotonic() > end:
            raise AssertionError(f"nothing came: {failed!r}" if failed else "nothing came") from failed
        time.sleep(0.2)


def becomes(wanted: object, what: Callable[[], object], patience: float = PATIENCE) -> None:
    """Ask until the answer is the one that is wanted; what was answered last is shown where it never is."""
    seen: list[object] = []
    try:
        wait_for(lambda: seen.append(what()) or seen[-1] == wanted, patience)
    except AssertionError:
        if not seen:
            raise
        raise AssertionError(f"{seen[-1]!r}, not {wanted!r}") from None


def steady(what: Callable[[], bool]) -> None:
    """Ask until the answer is yes several times in a row: of a way to several pods, each has to be open."""
    wait_for(lambda: all(what() for _ in range(IN_A_ROW)))


def status_of(url: str, headers: dict[str, str] | None = None) -> int:
    """What a new connection is answered with."""
    straight = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with straight.open(urllib.request.Request(url, headers=headers or {}), timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def new_namespace(kubectl: Callable[..., str], name: str) -> None:
    """Make a namespace, with what controllers put there: a pod is refused before its account is there."""
    kubectl("create", "namespace", name)
    for one in ("serviceaccount/default", "configmap/kube-root-ca.crt"):
        wait_for(lambda one=one: kubectl("-n", name, "get", one, "--ignore-not-found", "-o", "name"))
