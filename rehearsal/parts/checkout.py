"""The release on the host: a git checkout with what a deployment builds and installs in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

from rehearsal import binaries
from rehearsal.errors import NotStarted
from rehearsal.layout import PACKAGE, SLOTS, Layout

DEPLOYED_AGO = timedelta(days=2)
BUILT_AFTER = timedelta(minutes=10)
UNDOTTED = {"gitignore": ".gitignore", "env.example": ".env.example"}
PLACEHOLDER = "production-secret-key-256bit"
"""The secret that the checkout's own example publishes."""
BUILD_ID = "kX3vQ9bT2mWc7RzLpN4sE"
ASSETS = {
    "chunks/webpack-3c1f0a9e5b7d2468.js": "(self.webpackChunk=self.webpackChunk||[]).push([[0],{}]);\n",
    "chunks/main-app-7b20c4d8e1f96a35.js": "self.__next_f=self.__next_f||[];\n",
    "chunks/app/page-91ad5e3f70c8b246.js": "document.documentElement.dataset.ready='true';\n",
    "css/5f8e2c1b9a7d3064.css": "body{font-family:system-ui,sans-serif;margin:2rem}\n",
    f"{BUILD_ID}/_buildManifest.js": "self.__BUILD_MANIFEST={};\n",
}
DEPENDENCIES = {"backend": ("ms", "2.1.3"), "frontend": ("client-only", "0.0.1")}
"""What the template's pnpm-lock.yaml names, by importer."""
GIT_SECONDS = 20


class Checkout:
    """The release checkout: `create()` makes it whole; the other methods make single things of it again.

    The other slot gets a copy, which those methods leave alone.
    """

    def __init__(self, layout: Layout) -> None:
        self.path = layout.checkout
        self.version = str(json.loads((PACKAGE / "template/package.json").read_text())["version"])
        self.revision = ""
        """The deployed commit; empty where git is missing."""
        self._layout = layout
        self._git = binaries.tool("git")
        self.deployed_at = datetime.now().astimezone() - DEPLOYED_AGO

    def create(self) -> None:
        """Make the checkout, install and build, all dated two days ago. It doesn't commit: see `commit()`."""
        shutil.copytree(PACKAGE / "template", self.path)
        for plain, dotted in UNDOTTED.items():
            for plain_file in list(self.path.rglob(plain)):
                plain_file.rename(plain_file.with_name(dotted))
        updated = self.deployed_at - timedelta(days=1)
        text = self._layout.runbook.read_text(encoding="utf-8")
        date = f"{updated.year}年{updated.month}月{updated.day}日"
        self._layout.runbook.write_text(text.replace("{{LAST_UPDATED}}", date), encoding="utf-8")
        _date(self.path, self.deployed_at)
        for script in self._layout.scripts.iterdir():
            # Said here: a project that came as an archive may have lost the bit.
            script.chmod(0o755)
        for folder in ("logs", "temp", "backup"):
            (self.path / folder).mkdir(mode=0o750)
        self.install()
        self.build_backend()
        self.build_frontend()
        for copy in self._copies:
            shutil.copytree(self.path, copy)

    @property
    def _copies(self) -> list[Path]:
        """The checkouts of the other slots: the same release, deployed twice."""
        return [self._layout.checkout_of(slot) for slot in SLOTS[1:]]

    def commit(self) -> None:
        """Make it a git checkout of branch `main` with an origin, when git is there."""
        if self._git is None:
            return
        when = self.deployed_at.isoformat(timespec="seconds")
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--no-verify", "--message", f"Release {self.version}", date=when)
        self.git("clone", "--quiet", "--bare", str(self.path), str(self._layout.origin))
        self.git("remote", "add", "origin", str(self._layout.origin))
        self.git("fetch", "--quiet", "origin")
        self.revision = self.git("rev-parse", "HEAD")
        for copy in self._copies:
            shutil.copytree(self.path / ".git", copy / ".git")

    def git(self, *words: str, date: str = "") -> str:
        """Run git in the checkout, untouched by this user's own configuration, and return its output.

        Raises NotStarted with git's own words.
        """
        if self._git is None:
            raise NotStarted("git is not installed")
        identity = {"GIT_AUTHOR_NAME": "My Cats", "GIT_AUTHOR_EMAIL": "release@mycats.example"}
        identity |= {"GIT_COMMITTER_NAME": "My Cats", "GIT_COMMITTER_EMAIL": "release@mycats.example"}
        if date:
            identity |= {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        # Without the caller's GIT_*: inside a hook they would point at another repository.
        env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        env |= {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            **identity,
        }
        done = subprocess.run(
            [self._git, "-c", "gc.auto=0", "-c", "maintenance.auto=false", *words],
            cwd=self.path,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=GIT_SECONDS,
        )
        if done.returncode != 0:
            raise NotStarted(f"git {words[0]} failed: {done.stderr.strip()[-300:]}")
        return done.stdout.strip()

    def install(self) -> None:
        """Leave what `pnpm install` and `prisma generate` leave."""
        modules = self.path / "node_modules"
        client = modules / ".prisma/client"
        for folder in (modules / ".pnpm", client):
            folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.path / "pnpm-lock.yaml", modules / ".pnpm/lock.yaml")
        (modules / ".modules.yaml").write_text(
            "layoutVersion: 5\nnodeLinker: isolated\npackageManager: pnpm@9.15.4\nincluded:\n"
            "  dependencies: true\n  devDependencies: true\n  optionalDependencies: true\n"
            f"prunedAt: {self.deployed_at:%a, %d %b %Y %H:%M:%S %Z}\n"
        )
        for importer, (name, version) in DEPENDENCIES.items():
            folder = modules / f".pnpm/{name}@{version}/node_modules/{name}"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "package.json").write_text(json.dumps({"name": name, "version": version}))
            link = self.path / importer / "node_modules" / name
            link.parent.mkdir(exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(os.path.relpath(folder, link.parent))
        shutil.copy(self._layout.backend / "prisma/schema.prisma", client / "schema.prisma")
        (client / "index.js").write_text("// generated by prisma generate\nmodule.exports = {};\n")
        cached = self._layout.npm_cache / "_cacache/content-v2/sha512/7f/3a/9c"
        cached.parent.mkdir(parents=True, exist_ok=True)
        cached.write_bytes(bytes(4096))
        _date(modules, self.deployed_at + BUILT_AFTER)

    def build_backend(self) -> None:
        """Leave what the backend's build leaves: here, the API itself."""
        dist = self._layout.backend / "dist"
        dist.mkdir(exist_ok=True)
        shutil.copyfile(PACKAGE / "node/api.js", dist / "main.js")
        _date(dist, self.deployed_at + BUILT_AFTER)

    def build_frontend(self) -> None:
        """Leave what `next build` leaves, and the front end's server where pnpm puts Next.js."""
        server = self._layout.frontend / "node_modules/next/dist/bin/next"
        server.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PACKAGE / "node/frontend.js", server)
        build = self._layout.frontend / ".next"
        for name, content in ASSETS.items():
            asset = build / "static" / name
            asset.parent.mkdir(parents=True, exist_ok=True)
            asset.write_text(content)
        page = build / "server/app/index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(_page(), encoding="utf-8")
        (build / "BUILD_ID").write_text(BUILD_ID)
        pack = build / "cache/webpack/server-production/0.pack"
        pack.parent.mkdir(parents=True, exist_ok=True)
        pack.write_bytes(bytes(4096))
        _date(build, self.deployed_at + BUILT_AFTER)

    def remove_frontend_build(self) -> None:
        """Do what the runbook's weekly clean-up does: `rm -rf frontend/.next`."""
        shutil.rmtree(self._layout.frontend / ".next")


def _page() -> str:
    scripts = "".join(
        f'<script src="/_next/static/{name}" async=""></script>' for name in ASSETS if name.endswith(".js")
    )
    styles = "".join(
        f'<link rel="stylesheet" href="/_next/static/{name}" data-precedence="next"/>'
        for name in ASSETS
        if name.endswith(".css")
    )
    return (
        f'<!DOCTYPE html><html lang="ja"><head><meta charSet="utf-8"/>{styles}{scripts}'
        "<title>My Cats</title></head>"
        '<body><div id="__next"><main><h1>猫生体管理システム</h1></main></div></body></html>'
    )


def _date(folder: Path, when: datetime) -> None:
    stamp = when.timestamp()
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (stamp, stamp), follow_symlinks=False)
