"""Does the deployed project do what its users expect? Requests as a browser sends them, to the printed address."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import httpx2
from websockets.sync.client import connect

from .table import Step

PATIENCE = 300.0  # seconds for what a worker does in its own time, and for the way to new pods; a machine may be slow
IN_A_ROW = 3
NOT_YET = (502, 503, 504)
Nuages = Callable[..., str]


class Wrong(Exception):
    """The project answers something else than it must."""


def smoke(steps: list[Step], address: str, nuages: Nuages) -> Iterator[str]:
    """Take the steps one by one with one browser's cookies, and answer each with what was done.

    Raises:
        Wrong: with the step, and what was seen in place of what was expected.
    """
    with httpx2.Client(base_url=address, timeout=60, follow_redirects=False, trust_env=False) as browser:
        _there(address)
        for step in steps:
            yield _take(step, browser, address, nuages)


def _take(step: Step, browser: httpx2.Client, address: str, nuages: Nuages) -> str:
    if step.manage or step.worker:
        return _command(step, nuages)
    if step.restart:
        nuages("restart", step.restart)
        _there(address)
        return f"restart {step.restart}"
    if step.websocket:
        return _websocket(step, address)
    if step.form:
        return _post(step, browser)
    return _get(step, browser)


def _there(address: str) -> None:
    """Wait until something answers, whatever it says: whoever leads to pods learns of new ones a moment later.

    Raises:
        Wrong: nothing does.
    """
    until, answered = time.monotonic() + PATIENCE, 0
    with httpx2.Client(base_url=address, timeout=60, trust_env=False) as stranger:
        while answered < IN_A_ROW:
            try:
                code = stranger.get("/", headers={"Connection": "close"}).status_code
                answered, said = (0, str(code)) if code in NOT_YET else (answered + 1, "")
            except httpx2.TransportError as error:
                answered, said = 0, repr(error)
            if said:
                if time.monotonic() > until:
                    raise Wrong(f"{address} does not answer: {said}")
                time.sleep(0.2)


def _get(step: Step, browser: httpx2.Client) -> str:
    if step.query:
        answer = browser.post(step.get, json=step.query, headers=step.headers)
    else:
        answer = _follow(browser, browser.get(step.get, headers=step.headers), step)
    _expect(step, answer, f"{'POST' if step.query else 'GET'} {step.get}")
    if step.grows:
        before = len(re.findall(step.grows, answer.text))
        after = len(re.findall(step.grows, browser.get(step.get, headers=step.headers).text))
        if after != before + 1:
            raise Wrong(f"GET {step.get}: {step.grows!r} found {before} times, then {after}")
    if step.link:
        found = re.search(step.link, answer.text)
        if found is None:
            raise Wrong(f"GET {step.get}: {step.link!r} is not in the page")
        there = urljoin(str(answer.url), unescape(found[0]))
        if (code := browser.get(there).status_code) != 200:
            raise Wrong(f"GET {there}: {code}, and GET {step.get} refers to it")
    return f"GET {step.get}"


def _post(step: Step, browser: httpx2.Client) -> str:
    """A form, filled in: what its page has in hidden fields (the CSRF token) goes along."""
    page = _follow(browser, browser.get(step.get, headers=step.headers), step)
    if page.status_code != 200:
        raise Wrong(f"GET {step.get}, a form: {page.status_code}")
    fields = _Form(set(step.form)).read(page.text)
    target = urljoin(str(page.url), fields.action)
    answer = browser.post(
        target, data={**fields.hidden, **step.form}, headers={"Referer": str(page.url), **step.headers}
    )
    if answer.status_code == 200 and "errorlist" in answer.text:
        reason = re.search(r"errorlist[^>]*>\s*<li>(.*?)</li>", answer.text, re.DOTALL)
        raise Wrong(f"POST {step.get}: the form says {reason[1].strip() if reason else 'it is wrong'}")
    _expect(step, _follow(browser, answer, step), f"POST {step.get}")
    return f"POST {step.get}"


def _follow(browser: httpx2.Client, answer: httpx2.Response, step: Step) -> httpx2.Response:
    """Follow redirects on the same host, as long as a redirect itself is not what is expected."""
    for _ in range(5):
        if not answer.is_redirect or answer.status_code == step.status:
            break
        there = answer.headers["location"]
        if there.startswith("https://"):
            raise Wrong(f"GET {step.get}: {answer.status_code} to {there}, where nothing answers")
        answer = browser.get(urljoin(str(answer.url), there), headers=step.headers)
    return answer


def _expect(step: Step, answer: httpx2.Response, what: str) -> None:
    if answer.status_code != step.status:
        raise Wrong(f"{what}: {answer.status_code}, not {step.status}{_title(answer.text)}")
    if step.contains and step.contains not in answer.text:
        raise Wrong(f"{what}: {step.contains!r} is not in the page{_title(answer.text)}")
    if step.lacks and step.lacks in answer.text:
        raise Wrong(f"{what}: {step.lacks!r} is in the page{_title(answer.text)}")
    if step.json:
        found = _inside(json.loads(answer.text), step.json)
        if found != step.json:
            raise Wrong(f"{what}: {found}, not {step.json}")


def _inside(found: Any, wanted: Any) -> Any:
    """What was found, cut down to what is asked for."""
    if not isinstance(wanted, dict) or not isinstance(found, dict):
        return found
    return {key: _inside(found.get(key), value) for key, value in wanted.items()}


def _title(page: str) -> str:
    title = re.search(r"<title>\s*(.*?)\s*</title>", page, re.DOTALL)
    return f" ({' '.join(title[1].split())})" if title else ""


def _websocket(step: Step, address: str) -> str:
    url = address.replace("http", "ws", 1).rstrip("/") + step.websocket
    try:
        with connect(url, open_timeout=60, proxy=None, origin=address) as socket:
            if step.send:
                socket.send(step.send)
            said = str(socket.recv(timeout=60))
    except Exception as error:  # of many libraries' kinds; all mean that it does not answer
        raise Wrong(f"websocket {step.websocket}: {type(error).__name__} {error}") from error
    if step.contains not in said:
        raise Wrong(f"websocket {step.websocket}: {said!r}, not {step.contains!r}")
    return f"websocket {step.websocket}"


def _command(step: Step, nuages: Nuages) -> str:
    """`nuages manage ...`; for what a worker does, again and again until its result is seen."""
    arguments = step.manage or step.worker
    until = time.monotonic() + (PATIENCE if step.worker else 0)
    while True:
        said = nuages("manage", *arguments)
        if re.search(step.prints, said):
            return f"manage {arguments[0]}"
        if time.monotonic() >= until:
            last = said.strip().splitlines()[-1] if said.strip() else "nothing"
            raise Wrong(f"manage {arguments[0]}: printed {last!r}, not {step.prints!r}")
        time.sleep(1)


class _Form(HTMLParser):
    """The form of a page that has one of these fields: its action, and its hidden fields."""

    def __init__(self, fields: set[str]) -> None:
        super().__init__()
        self._fields, self._found = fields, False
        self.action, self.hidden = "", dict[str, str]()

    def read(self, page: str) -> _Form:
        self.feed(page)
        self.close()
        return self

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        if tag == "form" and not self._found:
            self.action, self.hidden = given.get("action", ""), {}
        elif not self._found or tag == "input":
            name = given.get("name", "")
            if given.get("type") == "hidden" and not (self._found and name in self.hidden):
                self.hidden[name] = given.get("value", "")
            self._found = self._found or name in self._fields
