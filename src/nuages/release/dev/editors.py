"""What an editor has to know to attach to the debugger in the pod."""

from __future__ import annotations

import json
from pathlib import Path
from xml.sax.saxutils import quoteattr

from nuages.errors import UsageError
from nuages.render.dev import DEBUGGER

NAME = "nuages dev"


def configuration(root: Path, folder: Path, remote: str = "/app") -> dict[str, object]:
    """One of VS Code's: attach, and to each server that is started later; the project's code stands elsewhere there."""
    below = folder.relative_to(root).as_posix() if folder != root else ""
    local = "${workspaceFolder}" + (f"/{below}" if below else "")
    return {
        "name": NAME,
        "type": "debugpy",
        "request": "attach",
        "connect": {"host": "localhost", "port": DEBUGGER},
        "pathMappings": [{"localRoot": local, "remoteRoot": remote}],
        "django": True,
        "subProcess": True,
        "justMyCode": False,
    }


def vscode(root: Path, folder: Path) -> Path:
    """Write `.vscode/launch.json`, or add to it.

    Raises:
        UsageError: it has comments, or is no JSON; what to add is said.
    """
    file = root / ".vscode" / "launch.json"
    ours = configuration(root, folder)
    try:
        text = file.read_text() if file.is_file() else '{"version": "0.2.0", "configurations": []}'
        known = json.loads(text)
        others = [one for one in known.get("configurations", []) if one.get("name") != NAME]
    except (ValueError, AttributeError):
        hint = "add this to its configurations"
        raise UsageError(f"{file} is not plain JSON", hint=hint, detail=json.dumps(ours, indent=2)) from None
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({**known, "configurations": [*others, ours]}, indent=2) + "\n")
    return file


def pycharm(root: Path, folder: Path, remote: str = "/app") -> Path:
    """Write a run configuration for PyCharm, in a file that is ours. From 2025.3 on it attaches to debugpy:
    https://www.jetbrains.com/help/pycharm/run-debug-configuration-attach-to-dap.html
    """
    file = root / ".run" / "nuages-dev.run.xml"
    below = folder.relative_to(root).as_posix() if folder != root else ""
    options = {
        "localRoot": "$PROJECT_DIR$" + (f"/{below}" if below else ""),
        "remoteAddress": f"localhost:{DEBUGGER}",
        "remoteRoot": remote,
    }
    told = "".join(f'    <option name="{name}" value={quoteattr(value)} />\n' for name, value in options.items())
    file.parent.mkdir(exist_ok=True)
    file.write_text(
        '<component name="ProjectRunConfigurationManager">\n'
        f'  <configuration default="false" name="{NAME}" type="PythonDapAttachConfiguration">\n'
        f"{told}"
        '    <method v="2" />\n'
        "  </configuration>\n"
        "</component>\n"
    )
    return file
