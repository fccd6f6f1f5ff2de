"""yaml-language-server as an editor runs it: JSON-RPC over its standard input and output."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

#: Where `npm ci --prefix tests/editor` puts it.
SERVER = Path(__file__).parent / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"


def missing() -> str:
    """Return what is not installed, "" where all is."""
    if shutil.which("node") is None:
        return "node is not installed"
    return "" if SERVER.exists() else "run npm ci --omit-lockfile-registry-resolved --prefix tests/editor"


class Editor:
    """Opens files in a folder, and asks what an editor would show."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ids = itertools.count(1)
        self._process = subprocess.Popen(
            ["node", str(SERVER), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        root = folder.as_uri()
        capabilities = {"textDocument": {"hover": {"contentFormat": ["markdown"]}, "publishDiagnostics": {}}}
        self._ask("initialize", processId=None, rootUri=root, capabilities=capabilities)
        self._tell("initialized")

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()

    def open(self, path: str) -> list[str]:
        """Open a file, and return what is underlined in it: `line: words`, the line counted from 1."""
        file = self.folder / path
        document = {"uri": file.as_uri(), "languageId": "yaml", "version": 1, "text": file.read_text()}
        self._tell("textDocument/didOpen", textDocument=document)
        while True:
            said = self._hear()
            if said.get("method") == "textDocument/publishDiagnostics" and said["params"]["uri"] == file.as_uri():
                return [
                    f"{one['range']['start']['line'] + 1}: {one['message']}" for one in said["params"]["diagnostics"]
                ]

    def completions(self, path: str, line: int, column: int) -> list[str]:
        """Return what is proposed at a place, counted from 1."""
        found = self._at("textDocument/completion", path, line, column)
        return [item["label"] for item in (found["items"] if isinstance(found, dict) else found or [])]

    def hover(self, path: str, line: int, column: int) -> str:
        """Return what is shown over a place, counted from 1."""
        found = self._at("textDocument/hover", path, line, column)
        return str(found["contents"]["value"]) if found else ""

    def _at(self, method: str, path: str, line: int, column: int) -> Any:
        place = {"line": line - 1, "character": column - 1}
        return self._ask(method, textDocument={"uri": (self.folder / path).as_uri()}, position=place)

    def _ask(self, method: str, **params: Any) -> Any:
        number = next(self._ids)
        self._send({"id": number, "method": method, "params": params})
        while True:
            said = self._hear()
            if said.get("id") == number and "method" not in said:
                assert "error" not in said, said
                return said["result"]

    def _tell(self, method: str, **params: Any) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        """Read a message; what the server asks of its editor is answered with nothing."""
        assert self._process.stdout
        length = 0
        while line := self._process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        assert length, "the server has ended"
        said: dict[str, Any] = json.loads(self._process.stdout.read(length))
        if "method" in said and "id" in said:
            items = said["params"].get("items", [])
            self._send({"id": said["id"], "result": [None] * len(items) if items else None})
        return said
