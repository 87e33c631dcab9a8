"""The site of docs/: built as strictly as in CI, every link leads somewhere, and nothing of it comes from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tests.pace import HANGS

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("sphinx", "myst_parser", "furo")),
    reason="Sphinx is not installed (docs/requirements.txt)",
)


class Page(HTMLParser):
    """What a page links to, what it loads, and where it can be linked to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.language = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        self.language = found.get("lang", self.language) if tag == "html" else self.language
        if "href" in found and tag == "a":
            self.links.append(found["href"])
        elif "href" in found or "src" in found:
            self.loaded.append(found.get("href") or found["src"])


def build(*command: Path) -> subprocess.CompletedProcess[str]:
    """Run it with the Sphinx of this Python, whether or not its environment is activated."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    env = {**os.environ, "PATH": path}
    return subprocess.run(command, capture_output=True, text=True, timeout=HANGS, env=env, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = build(ROOT / "docs" / "build", folder)
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in site.rglob("*.html")}


def test_every_page_is_there(site: Path) -> None:
    documents = [path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md") if "_site" not in path.parts]
    documents += map(Path, ("SECURITY.md", "CHANGELOG.md", "CONTRIBUTING.md", "examples/README.md"))
    assert [str(path) for path in documents if not (site / path).with_suffix(".html").is_file()] == []


def test_every_link_leads_somewhere(site: Path, pages: dict[Path, Page]) -> None:
    broken = []
    for path, page in pages.items():
        for link in {*page.links, *page.loaded}:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            known = pages.get(target)
            if not target.is_file() or (known and parts.fragment and unquote(parts.fragment) not in known.anchors):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert len(pages) > 40
    assert broken == []


def test_nothing_comes_from_elsewhere(site: Path, pages: dict[Path, Page]) -> None:
    loaded = {link for page in pages.values() for link in page.loaded}
    assert [link for link in loaded if urlsplit(link).netloc] == []
    styles = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]
    assert [
        found for text in styles for found in re.findall(r"url\([\"']?(?:https?:)?//[^)]*\)|@import[^;]*", text)
    ] == []


def test_a_page_says_in_which_language_it_is(site: Path, pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        if path.name != "index.html" or path.parent != site:
            japanese = "ja" in path.relative_to(site).parts or path.name.endswith(".ja.html")
            assert page.language == ("ja" if japanese else "en"), path


@pytest.mark.parametrize(
    ("folder", "word", "found"), [("docs/ja", "免除", "既知の異常を免除する"), (".", "waiver", "Waive a known failure")]
)
def test_the_search_works_without_a_server(site: Path, browser: Any, folder: str, word: str, found: str) -> None:
    page = browser.new_page()
    page.goto(f"{(site / folder / 'search.html').as_uri()}?q={word}")
    page.get_by_role("link", name=found).last.wait_for(timeout=HANGS * 1000)
    page.close()


def test_a_broken_link_stops_the_build(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    for name in ("build", "conf.py", "site.css"):
        (docs / name).write_bytes((ROOT / "docs" / name).read_bytes())
    (docs / "build").chmod(0o755)
    (docs / "ja").mkdir()
    (docs / "ja" / "index.md").write_text("# 目次\n")
    (docs / "index.md").write_text("# Home\n\n[gone](gone.md)\n")
    built = build(docs / "build")
    assert built.returncode != 0
    assert "gone.md" in built.stderr
    (docs / "index.md").write_text("# Home\n")
    (docs / "forgotten.md").write_text("# In no list\n")
    built = build(docs / "build")
    assert built.returncode != 0
    assert "forgotten" in built.stderr
