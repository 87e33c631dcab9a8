"""One script for all questions to a host, and its output taken apart again.

Each question runs in a shell of its own: one that fails, hangs or does not even parse costs only itself. Its output is
bounded on the host and framed by a nonce that nothing on the host knows beforehand, so login noise and file contents
cannot pass for a frame::

    <nonce> begin 3 / output / <nonce> end 3 / stderr, and among it <nonce> status 0 / <nonce> stop 3

Nor can they pass for the lines by which a question sorts its output: scripts write `== name` at the beginning of a
string, and in what is sent that is a word of the same kind.

Slow questions run beside the others without a temporary file: `slow | { others; cat; }`, nested once for each.
Works in dash, bash and BusyBox ash; needs `head -c`, and `timeout` to bound each question (without it, only our own
deadline does).
"""

from __future__ import annotations

import bisect
import math
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from shlex import quote

from opsverify.probes.host.question import Answer, Question
from opsverify.probes.host.shell_file import ShellFile

MAX_ERRORS = 4096

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

FRAMES = ShellFile(__package__, "frames.sh")
SUPERVISOR = ShellFile(__package__, "supervisor.sh")


_MARK = re.compile(r"""(?<=['"/])== """)
"""At the beginning of a string of the shell or awk, or of what sed puts in. As an operator it has a blank before it."""


@dataclass(frozen=True)
class Script:
    """A script ready to send, and the order in which its frames number the questions."""

    text: str
    nonce: str
    mark: str
    questions: tuple[Question, ...]


def compose(questions: Sequence[Question], seconds: float) -> Script:
    """One script for `questions`, none of which may take more than `seconds` on the host."""
    # What must be answered at once comes first; what waits for disks is read last, so that if even `timeout` cannot
    # end it (a process in uninterruptible sleep), everything else has arrived.
    ordered = tuple(sorted(questions, key=lambda q: (not q.first, q.slow, q.seconds, repr(q))))
    nonce, mark = secrets.token_hex(16), f"={secrets.token_hex(8)}="
    helpers = dict.fromkeys(helper for question in ordered for helper in question.helpers)
    calls = [_call(i, question, seconds, mark) for i, question in enumerate(ordered)]
    quick = [call for call, question in zip(calls, ordered, strict=True) if not question.slow]
    body = "\n".join(quick) or ":"
    for call, question in zip(calls, ordered, strict=True):
        if question.slow:
            body = f"{{ {call}; }} | {{\n{body}\ncat\n}}"
    settings = {
        "nonce": nonce,
        "errors": str(MAX_ERRORS),
        "search_path": _PATH,
        "supervisor": SUPERVISOR.text,
        "helpers": marked("\n".join(helper.text for helper in helpers), mark),
    }
    prelude = "".join(f"{name}={quote(value)}\n" for name, value in settings.items()) + FRAMES.text
    # Braces: a script that arrives cut off is a syntax error and does nothing.
    text = f"{{\n{prelude}{body}\nprintf '\\n%s done\\n' {nonce}\nexit 0\n}}\n"
    return Script(text, nonce, mark, ordered)


def marked(text: str, mark: str) -> str:
    """A script that begins its own lines with `mark`, in the place of `==`."""
    return _MARK.sub(f"{mark} ", text)


def _call(index: int, question: Question, seconds: float, mark: str) -> str:
    bound = max(1, math.ceil(min(question.seconds, seconds)))
    # One byte more than allowed shows that there was more.
    return f"ask {index} {bound} {question.max_bytes + 1} {quote(marked(question.script(), mark))}"


def read(
    script: Script, output: bytes, sent: float = 0.0, arrivals: Sequence[tuple[int, float]] = ()
) -> tuple[dict[Question, Answer], bool]:
    """The answers that `output` holds whole, and whether the script came to its end.

    `arrivals` says which length of output had arrived when (seconds since the epoch), ascending.
    """
    nonce = re.escape(script.nonce.encode())
    frame = re.compile(
        rb"\n" + nonce + rb" begin (\d+)\n(.*?)\n" + nonce + rb" end \1\n(.*?)\n" + nonce + rb" stop \1\n", re.DOTALL
    )
    status = re.compile(rb"\n?" + nonce + rb" status (\d+)\n?")
    lengths = [length for length, _ in arrivals]
    answers: dict[Question, Answer] = {}
    for match in frame.finditer(output):
        index = int(match[1])
        status_line = status.search(match[3])
        if index >= len(script.questions) or status_line is None:
            continue
        question = script.questions[index]
        at = bisect.bisect_left(lengths, match.end())
        text = match[2]
        answers[question] = Answer(
            output=text[: question.max_bytes],
            status=int(status_line[1]),
            errors=status.sub(b"", match[3]).decode("utf-8", "replace"),
            truncated=len(text) > question.max_bytes,
            sent=sent,
            received=arrivals[at][1] if at < len(arrivals) else sent,
            mark=script.mark,
        )
    return answers, output.endswith(b"\n" + script.nonce.encode() + b" done\n")
