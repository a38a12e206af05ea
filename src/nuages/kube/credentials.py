"""Tokens from exec plugins (`aws eks get-token`, ...), client.authentication.k8s.io/v1 and v1beta1.

A token is used until it expires, and asked for anew after a 401.
The protocol: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any

import httpx2

from nuages.errors import MissingTool, UsageError
from nuages.kube.config import ANEW

_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_PATIENCE = 200.0  # seconds for a plugin, which may have a browser ask a person: kubelogin itself gives it 180
_BY_HAND = "run it by hand to see what it says; its newest version may do better"
_EARLY = 30.0  # seconds before its expiry a token is renewed, so that it does not expire on its way


class ExecPlugin(httpx2.Auth):
    """Runs the plugin when no valid token is at hand, once for all requests under way, and again after a 401."""

    def __init__(self, plugin: dict[str, Any], cluster: dict[str, Any]) -> None:
        """Take the `exec` entry of a kubeconfig's user; `cluster` is told to plugins that ask for it."""
        if not plugin.get("command"):
            raise UsageError("the kubeconfig's exec plugin names no command", hint=ANEW)
        if plugin.get("apiVersion") not in _VERSIONS:
            raise UsageError(f"the kubeconfig's exec plugin speaks {plugin.get('apiVersion')}, not {_VERSIONS[0]}")
        self._plugin = plugin
        self._cluster = cluster
        self._token = ""
        self._expires = 0.0
        self._running = asyncio.Lock()

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Sign the request, and once more with a new token when the first is refused."""
        token = await self._valid(refused="")
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == httpx2.codes.UNAUTHORIZED:
            request.headers["Authorization"] = f"Bearer {await self._valid(refused=token)}"
            yield request

    async def _valid(self, refused: str) -> str:
        async with self._running:
            if not self._token or self._token == refused or time.time() > self._expires - _EARLY:
                self._token, self._expires = credential(await self._run(), self._plugin["command"])
            return self._token

    async def _run(self) -> bytes:
        command, arguments = self._plugin["command"], self._plugin.get("args") or []
        variables = {entry["name"]: str(entry.get("value") or "") for entry in self._plugin.get("env") or []}
        spec = {"interactive": False, **({"cluster": self._cluster} if self._plugin.get("provideClusterInfo") else {})}
        info = {"apiVersion": self._plugin["apiVersion"], "kind": "ExecCredential", "spec": spec}
        try:
            process = await asyncio.create_subprocess_exec(
                command,
                *arguments,
                env={**os.environ, **variables, "KUBERNETES_EXEC_INFO": json.dumps(info)},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except FileNotFoundError as error:
            hint = self._plugin.get("installHint", "").strip() or f"install {command}, the kubeconfig asks for it"
            raise MissingTool(f"the kubeconfig's exec plugin {command} is not installed", hint=hint) from error
        except OSError as error:
            raise UsageError(f"exec plugin {command} cannot be started: {error.strerror}", hint="chmod +x?") from error
        try:
            async with asyncio.timeout(_PATIENCE):
                out, complaint = await process.communicate()
        except TimeoutError:
            hint = "does it wait for somebody to log in? Run it by hand once; it is not asked from here"
            raise UsageError(f"exec plugin {command} gave no answer within {_PATIENCE:g} s", hint=hint) from None
        finally:
            if process.returncode is None:
                # Killed, and heard no more: what it has started may hold its output open, and `wait` waits for that.
                process._transport.close()  # type: ignore[attr-defined]
                await process.wait()
        if process.returncode:
            lines = [line.strip() for line in complaint.decode(errors="replace").splitlines()]
            last = [line for line in lines if any(map(str.isalpha, line))][-1:]
            raise UsageError(
                f"exec plugin {command} ended with {process.returncode}: {''.join(last)}",
                hint="log in again as your cluster's provider says",
            )
        return out


def credential(output: bytes, command: str) -> tuple[str, float]:
    """Read a plugin's answer: the token, and the Unix time until which it holds (for ever where none is said)."""
    try:
        status = json.loads(output)["status"]
    except (ValueError, KeyError, TypeError):
        status = None
    if not isinstance(status, dict):
        raise UsageError(f"exec plugin {command} did not answer with an ExecCredential", hint=_BY_HAND)
    if not status.get("token"):
        raise UsageError(
            f"exec plugin {command} answered without a token; client certificates are not supported", hint=_BY_HAND
        )
    token, expiry = sendable(status["token"], f"exec plugin {command} answered with"), status.get("expirationTimestamp")
    try:
        return token, datetime.fromisoformat(expiry).timestamp() if expiry else float("inf")
    except (ValueError, TypeError):
        raise UsageError(
            f"exec plugin {command} answered with an expirationTimestamp that is no time", hint=_BY_HAND
        ) from None


def sendable(token: object, whose: str) -> str:
    """A token as a header may have it: what cannot be sent would be quoted by whoever refuses it.

    Raises:
        UsageError: it is none; it is not quoted.
    """
    text = str(token).strip()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise UsageError(f"{whose} a token with characters that no token has", hint=ANEW)
    return text
