"""The site of docs/, in English and in it the Japanese one; CONTRIBUTING.md says how it is built.

Sphinx with MyST and Furo: released in the last year, and few open bugs; MkDocs has had no release since 2024, and its
Material theme is at its end. Pages are plain Markdown that any repository browser shows; what is different for the site
is here: navigation is read from the home page, and a link to what the other language's site holds becomes one to it.
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
from sphinx.transforms import SphinxTransform

JA = Path(__file__).resolve().parent / "ja"
JAPANESE = tags.has("ja")  # type: ignore[name-defined]  # noqa: F821

project = "運用検証スイート" if JAPANESE else "Operational verification"
html_title = f"My Cats {project}"
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
        pages = re.findall(r"^- \[[^]]+\]\(([^):]+)\.md\)", text, re.MULTILINE)
        pages = [page for page in pages if path.normpath(path.join(path.dirname(docname), page)) in app.env.found_docs]
        if pages:
            source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n" + "\n".join(pages) + "\n```\n"


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
    app.connect("build-finished", with_entrance)
