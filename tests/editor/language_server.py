"""A YAML language server as an editor talks to it: JSON-RPC over standard input and output.

Rule: https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/
"""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from pathlib import Path
from typing import Any

ANSWERED = 120.0
"""Seconds that an answer may take on a busy machine; a server that died is noticed at once."""


class LanguageServer:
    """The server with one text open in it at a time; a cursor stands in the text as `|`."""

    def __init__(self, program: list[str], folder: Path) -> None:
        """Start it, and tell it what an editor can do that has done nothing to its settings."""
        self._folder = folder
        self._uri = ""
        self._process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._heard: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self._number = 0
        self._texts = 0
        hover = {"contentFormat": ["markdown"]}
        capabilities = {"textDocument": {"hover": hover, "completion": {}, "publishDiagnostics": {}}}
        self._ask("initialize", {"processId": None, "rootUri": folder.as_uri(), "capabilities": capabilities})
        self._tell("initialized", {})
        # The catalogue of public schemas is on the internet; what the file names itself is enough.
        self._tell("workspace/didChangeConfiguration", {"settings": {"yaml": {"schemaStore": {"enable": False}}}})

    def completion(self, text: str) -> dict[str, dict[str, Any]]:
        """What may stand at the cursor, by its label."""
        found = self._ask("textDocument/completion", self._at(text))
        return {item["label"]: item for item in found["items"]}

    def hover(self, text: str) -> str:
        """What is shown over the word at the cursor."""
        found = self._ask("textDocument/hover", self._at(text))
        return str(found["contents"]["value"]) if found else ""

    def diagnostics(self, text: str) -> list[tuple[int, str]]:
        """What is wrong with a text: the line, from 1, and the message."""
        self._show(text)
        while True:
            told = self._hear()
            if told.get("method") == "textDocument/publishDiagnostics" and told["params"]["uri"] == self._uri:
                found = told["params"]["diagnostics"]
                return [(each["range"]["start"]["line"] + 1, each["message"]) for each in found]

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        self._listener.join()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream
            stream.close()

    def _at(self, text: str) -> dict[str, Any]:
        before, _, after = text.partition("|")
        self._show(before + after)
        line = before.count("\n")
        position = {"line": line, "character": len(before.rpartition("\n")[2])}
        return {"textDocument": {"uri": self._uri}, "position": position}

    def _show(self, text: str) -> None:
        """Open a text in the place of the last one: by another name, as diagnostics don't say which version they are
        of, and some are sent twice, or late.
        """
        if self._uri:
            self._tell("textDocument/didClose", {"textDocument": {"uri": self._uri}})
        self._texts += 1
        self._uri = (self._folder / f"{self._texts}.yaml").as_uri()
        document = {"uri": self._uri, "version": 1, "languageId": "yaml", "text": text}
        self._tell("textDocument/didOpen", {"textDocument": document})

    def _ask(self, method: str, parameters: dict[str, Any]) -> Any:
        self._number += 1
        number = self._number
        self._send({"id": number, "method": method, "params": parameters})
        while True:
            told = self._hear()
            if told.get("id") == number and "method" not in told:
                assert "error" not in told, told
                return told.get("result")

    def _tell(self, method: str, parameters: dict[str, Any]) -> None:
        self._send({"method": method, "params": parameters})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        told = self._heard.get(timeout=ANSWERED)
        assert told is not None, "the server ended"
        if "id" in told and "method" in told:  # it asks for settings, or wants to register something
            asked = told["params"].get("items") if told["params"] else None
            answer = [{"schemaStore": {"enable": False}} if each["section"] == "yaml" else None for each in asked or []]
            self._send({"id": told["id"], "result": answer if asked else None})
        return told

    def _listen(self) -> None:
        stream = self._process.stdout
        assert stream
        while header := stream.readline():
            length = int(header.split(b":")[1]) if header.lower().startswith(b"content-length") else 0
            while header.strip():
                header = stream.readline()
            self._heard.put(json.loads(stream.read(length)))
        self._heard.put(None)
