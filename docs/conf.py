"""The site of docs/, in English and in it the Japanese one; CONTRIBUTING.md says how it is built.

Why Sphinx with MyST and Furo: all three had releases in the last twelve months (Sphinx 9.2 in October 2026). MkDocs had
none since August 2024, its Material theme is declared inactive, and that one's successor, Zensical, is an alpha.

Pages are plain Markdown that any repository browser shows. What is different for the site is here: navigation is read
from the home page, and a link to a page of the other language leads into that language's site.
"""

from __future__ import annotations

import re
from os import path
from pathlib import Path
from typing import Any

from docutils import nodes
from pygments.lexers import TextLexer
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.locale import _
from sphinx.transforms import SphinxTransform

JA = Path(__file__).resolve().parent / "ja"
JAPANESE = tags.has("ja")  # type: ignore[name-defined]  # noqa: F821

project = html_title = "My Cats 運用検証スイート" if JAPANESE else "Operational verification of My Cats"
language = "ja" if JAPANESE else "en"
extensions = ["myst_parser"]
html_theme = "furo"
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_copy_source = html_show_sourcelink = html_show_copyright = html_show_sphinx = False
html_use_index = False

# Beside docs/, what a reader of it is led to.
root_doc = "index" if JAPANESE else "docs/index"
include_patterns = ["**"] if JAPANESE else ["docs/**", "examples/**", "*.md"]
exclude_patterns = [] if JAPANESE else ["docs/ja/**", "docs/_site/**", "README.md", "README.ja.md", ".*/**", "**/.*"]

myst_heading_anchors = 3


_SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def with_navigation(app: Sphinx, docname: str, source: list[str]) -> None:
    """The home page lists all pages by section; the navigation is read from there, so both have all of them."""
    if docname != root_doc:
        return
    for title, text in _SECTION.findall(source[0]):
        pages = re.findall(r"^- \[([^]]+)\]\(([^):]+)\.md\)", text, re.MULTILINE)
        own = app.env.found_docs  # the Japanese page names English ones, too
        lines = [f"{name} <{page}>" for name, page in pages if path.normpath(f"{docname}/../{page}") in own]
        if lines:
            source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n" + "\n".join(lines) + "\n```\n"


class OtherSite(SphinxTransform):
    """A link to a page of the other language's site, which is built into this one: from page to page, as files lie."""

    default_priority = 999

    def apply(self, **_: Any) -> None:
        here = Path(self.env.doc2path(self.env.docname)).resolve().parent
        for node in list(self.document.findall(pending_xref)):
            page = (Path(self.env.srcdir) / f"{node['reftarget']}.md").resolve()
            if node["refdomain"] == "doc" and page.is_file() and page.is_relative_to(JA) != JAPANESE:
                address = path.relpath(page.with_suffix(".html"), here)
                anchor = f"#{node['reftargetid']}" if node.get("reftargetid") else ""
                node.replace_self(nodes.reference("", "", *node.children, refuri=address + anchor, internal=True))


def with_japanese(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """What Furo says of its own, which Sphinx's catalogue does not know; and which pages else are Japanese."""
    known = {"On this page": "このページの内容", "Home": "ホーム"} if JAPANESE else {}
    if page.endswith(".ja"):
        context["language"] = "ja"
    context["_"] = lambda text: known.get(text) or _(text)


def with_entrance(app: Sphinx, error: Exception | None) -> None:
    """Pages lie as files do, so the home page is below docs/: the site's first page leads there."""
    if not JAPANESE and error is None:
        entrance = (
            f'<!doctype html><meta http-equiv="refresh" content="0; url={root_doc}.html"><title>{html_title}</title>'
        )
        (Path(app.outdir) / "index.html").write_text(f'{entrance}<a href="{root_doc}.html">{html_title}</a>\n')


def setup(app: Sphinx) -> None:
    for name in ("crontab", "sudoers"):  # which Pygments does not know
        app.add_lexer(name, TextLexer)
    app.connect("source-read", with_navigation)
    app.add_transform(OtherSite)
    app.connect("html-page-context", with_japanese)
    app.connect("build-finished", with_entrance)
