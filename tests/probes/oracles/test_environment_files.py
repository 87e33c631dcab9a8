"""Files of variables, read by us and by the programs that they are for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsverify.errors import ProbeError
from opsverify.probes.host.environment_files import node_env_file, npm_dotenv, systemd_environment
from tests.npm import installed

GENERATOR = Path("/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator")
READ = """
const read = process.argv[1] === 'node' ? require('util').parseEnv : require(process.argv[1]).parse
const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'))
process.stdout.write(JSON.stringify(texts.map(text => Object.entries(read(text)))))
"""


def files(*pieces: str) -> st.SearchStrategy[list[str]]:
    """Many files at once: starting a program costs more than reading them."""
    common = ("A", "B", "=", "=", "\n", " ", "\t", "'", '"', "`", "#", "\\", "\nA=", "\nB= ", "export ", "x", "\r", "é")
    text = st.lists(st.sampled_from((*common, *pieces)), max_size=16).map("".join)
    line = text.map("A={}\n".format)
    return st.lists(st.one_of(text, line), min_size=100, max_size=200)


def asked(node: str, reader: str, texts: list[str]) -> list[dict[str, str]]:
    done = subprocess.run([node, "-e", READ, reader], input=json.dumps(texts), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [dict(pairs) for pairs in json.loads(done.stdout)]


@pytest.fixture(scope="module")
def node() -> str:
    program = shutil.which("node")
    return program or pytest.skip("Node.js is not installed")


@pytest.fixture(scope="module", params=["16.0.0", "16.6.1", "17.4.2", "18.0.10"])
def dotenv(request, tmp_path_factory) -> str:
    return str(installed(tmp_path_factory.mktemp("dotenv"), f"dotenv@{request.param}") / "dotenv")


@pytest.fixture(scope="module", params=["20.19.6", "20.20.2", "22.22.0", "24.12.0"])
def release_of_node(request, tmp_path_factory) -> str:
    # The package that the package `node` would fetch: the program alone.
    system = f"node-linux-{ {'x86_64': 'x64', 'aarch64': 'arm64'}.get(os.uname().machine, os.uname().machine) }"
    folder = installed(tmp_path_factory.mktemp("node"), f"{system}@{request.param}")
    return str(folder / system / "bin/node")


@given(texts=files("\\n", "\\r", ":", ": ", "\u2028", "\ufeff", "\x1c", "\v", ".", "$", "\u00a0"))
@settings(max_examples=20)
def test_npm_dotenv(node, dotenv, texts):
    for text, values in zip(texts, asked(node, dotenv, texts), strict=True):
        assert npm_dotenv.parse(text) == values, ascii(text)


def read_by_us(text: str) -> dict[str, str] | None:
    try:
        return node_env_file.parse(text)
    except ProbeError:
        return None


def agree(node: str, texts: list[str]) -> None:
    for text, values in zip(texts, asked(node, "node", texts), strict=True):
        assert read_by_us(text) in (None, values), ascii(text)


NODE_FILES = files("\\n", "\r\n", "\u2028", "\ufeff", ".", "$")


@given(texts=NODE_FILES)
@settings(max_examples=20)
def test_every_release_of_node(release_of_node, texts):
    agree(release_of_node, texts)


@given(texts=NODE_FILES)
@settings(max_examples=20)
def test_node_of_this_machine(node, texts):
    major, minor = map(int, subprocess.check_output([node, "-p", "process.versions.node"], text=True).split(".")[:2])
    if (major, minor) < (20, 19) or (major == 22 and minor < 20):
        pytest.skip("its releases before 20.19 and 22.20 have other grammars")
    agree(node, texts)


# The generator of environment.d reads with the parser of EnvironmentFile=, then expands `$`, and shows its variables
# in the way of `systemctl show`. It drops an empty value; what came before it stays.
@pytest.mark.skipif(not GENERATOR.exists(), reason="systemd is not installed")
@given(texts=files(";", "\\\n", '\\"', "n", "1", "\x01"))
@settings(max_examples=8)
def test_systemd(texts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("systemd")
    version = int(subprocess.check_output(["systemctl", "--version"], text=True).split()[1])
    (folder / "environment.d").mkdir()
    for text in texts:
        (folder / "environment.d/a.conf").write_bytes(text.encode())
        ours = systemd_environment.parse(text, version)
        done = subprocess.run([GENERATOR], env={"XDG_CONFIG_HOME": str(folder)}, capture_output=True, text=True)
        theirs: dict[str, str] = {}
        for name, equals, value in (line.partition("=") for line in done.stdout.split("\n")):
            word = f'"{name}={value[1:]}' if value.startswith('"') else name + equals + value
            theirs |= systemd_environment.shown(word)
        for name, value in ours.items():
            assert not value or theirs[name] == value, ascii(text)
        assert theirs.keys() & {"A", "B", "x"} <= ours.keys(), ascii(text)
