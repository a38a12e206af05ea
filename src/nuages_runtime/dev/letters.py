"""The pages that show the mail that was caught: `/-/mail`, and one for each.

Only to who asks for this machine by its own name: a page of somebody else's, whose name was made to lead here (DNS
rebinding), would read the links by which passwords are set anew. Of all else Django sees to that by ALLOWED_HOSTS.
"""

from __future__ import annotations

import email.policy
import html
import re
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser
from pathlib import Path

from nuages_runtime.dev.places import MAIL

ADDRESS = "/-/mail"
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:16px/1.5 system-ui;margin:2rem auto;max-width:56rem;padding:0 1rem}}
table{{border-collapse:collapse;width:100%}}td,th{{text-align:left;padding:.3rem .8rem .3rem 0;vertical-align:top}}
tr{{border-bottom:1px solid #ddd}}pre{{white-space:pre-wrap}}iframe{{width:100%;height:36rem;border:1px solid #ddd}}
</style><h1>{title}</h1>{body}</html>"""
_NEAR = re.compile(r"(?:[a-z0-9-]+\.)*localhost|127\.0\.0\.1|\[::1\]")
_HEADERS = ("From", "To", "Cc", "Bcc", "Reply-To", "Date")

Page = tuple[str, list[tuple[str, str]], bytes]


def page(path: str, host: str, folder: Path = Path(MAIL)) -> Page | None:
    """The page at a path, as a request for `host` gets it; None where that is the project's to answer."""
    if not _NEAR.fullmatch(re.sub(r":\d*$", "", host.lower())):
        return None
    if path.rstrip("/") == ADDRESS:
        return _answer(_list(folder))
    if not path.startswith(f"{ADDRESS}/"):
        return None
    name = path.removeprefix(f"{ADDRESS}/").rstrip("/")
    file = folder / f"{name}.eml"
    if not (name.isascii() and name.isdigit() and file.is_file()):
        return _answer(
            _PAGE.format(title="No such message", body=f'<p><a href="{ADDRESS}">All mail</a>'), "404 Not Found"
        )
    return _answer(_one(_read(file)))


def _answer(text: str, status: str = "200 OK") -> Page:
    body = text.encode(errors="replace")
    # What a message brings along is shown, and never run, nor asked for elsewhere.
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'"
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "Content-Security-Policy": policy,
    }
    return status, list(headers.items()), body


def _read(file: Path) -> EmailMessage:
    with file.open("rb") as text:
        return BytesParser(_class=EmailMessage, policy=email.policy.default).parse(text)


def _list(folder: Path) -> str:
    rows = []
    for file in sorted(folder.glob("*.eml"), key=lambda one: -int(one.stem)):
        message = _read(file)
        link = f'<a href="{ADDRESS}/{file.stem}">{html.escape(str(message["Subject"] or "(no subject)"))}</a>'
        rows.append(f"<tr><td>{link}<td>{html.escape(str(message['To'] or ''))}<td>{html.escape(str(message['Date']))}")
    table = f"<table><tr><th>Subject<th>To<th>Date{''.join(rows)}</table>"
    return _PAGE.format(title="Mail", body=table if rows else "<p>Nothing was sent yet.")


def _one(message: EmailMessage) -> str:
    """Its heads, its text, and its HTML as a page that may do nothing."""
    heads = "".join(
        f"<tr><th>{name}<td>{html.escape(str(message[name]))}" for name in _HEADERS if message[name] is not None
    )
    parts = [f'<p><a href="{ADDRESS}">All mail</a><table>{heads}</table>']
    if plain := message.get_body(("plain",)):
        parts.append(f"<pre>{html.escape(_text(plain))}</pre>")
    if rich := message.get_body(("html",)):
        parts.append(f'<iframe sandbox title="HTML" srcdoc="{html.escape(_text(rich))}"></iframe>')
    names = [str(part.get_filename() or part.get_content_type()) for part in message.iter_attachments()]
    if names:
        parts.append(f"<p>Attached: {html.escape(', '.join(names))}")
    return _PAGE.format(title=html.escape(str(message["Subject"] or "(no subject)")), body="".join(parts))


def _text(part: MIMEPart) -> str:
    try:
        return str(part.get_content())
    except (LookupError, ValueError):  # a character set that nobody knows
        return "(cannot be read)"
