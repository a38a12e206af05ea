"""Pages lead somewhere: each relative link to a file that exists, each anchor to a heading in it, the nav to pages."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]


def prose(page: Path) -> str:
    """A page without its code, where brackets are no links and `#` no heading."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", lambda code: code[0] if "](" not in code[0] else "", text)


def links(page: Path) -> list[str]:
    """The relative ones."""
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)) if not re.match(r"[a-z]+:", target)]


def anchors(page: Path) -> set[str]:
    """What the headings are called in a link, as mkdocs names them."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower()) for title in titles}


def named(nav: object) -> Iterator[str]:
    """Every page in a nav, at any depth."""
    if isinstance(nav, str):
        yield nav
    else:
        for inner in nav.values() if isinstance(nav, dict) else nav if isinstance(nav, list) else []:
            yield from named(inner)


NAV = list(named(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link}: no such file"
        if anchor:
            assert anchor in anchors(target), f"{link}: no such heading"


def test_the_nav_names_pages_that_exist() -> None:
    assert [page for page in NAV if not (DOCS / page).is_file()] == []


def test_every_page_is_in_the_nav_or_a_decision() -> None:
    pages = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")}
    assert {page for page in pages - set(NAV) if not page.startswith("decisions/")} == set()


def test_the_index_has_every_decision() -> None:
    index = DOCS / "decisions/README.md"
    marker = "<!-- made from the headings -->\n"
    decisions = sorted(index.parent.glob("[0-9]*.md"))
    lines = [f"- [{page.read_text().splitlines()[0].removeprefix('# ')}]({page.name})" for page in decisions]
    fresh = "\n".join([index.read_text().partition(marker)[0] + marker, *lines, ""])
    if os.environ.get("UPDATE_GOLDEN"):
        index.write_text(fresh)
    assert index.read_text() == fresh, "UPDATE_GOLDEN=1 pytest tests/unit/docs writes it anew"


def test_pages_have_no_tabs_and_no_trailing_spaces() -> None:
    untidy = [
        f"{page.relative_to(ROOT)}:{number}"
        for page in PAGES
        for number, line in enumerate(page.read_text().split("\n"), 1)
        if "\t" in line or line != line.rstrip()
    ]
    assert untidy == []
