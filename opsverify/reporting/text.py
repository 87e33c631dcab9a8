"""Text from a target, made harmless: printable on any terminal, allowed in XML, bounded, and without secrets.

A target decides what its log lines, headers and error messages say, so what it says may move the cursor, reverse the
reading direction, break an XML file, or repeat a password. Everything of it goes through here before a report sees it.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

MASK = "•••"
SHORTEST_SECRET = 4
_NEWLINE = " ⏎ "
_ELLIPSIS = "…"
_MOST_CHARACTERS_READ = 200_000
"""Only so much of a text is looked at; a target that answers with a gigabyte must not cost a minute."""

_ESCAPES = re.compile(
    r"""
    (?:\x1b\[|\x9b) [0-?]* [ -/]* [@-~]?                                   # CSI: colours, cursor movement
  | (?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f]) [^\x07\x1b\x90\x98\x9c-\x9f]{0,1000} (?:\x07|\x1b\\|\x9c)  # OSC …: links
  | \x1b [ -/]* [0-~]?                                                     # all other sequences
    """,
    re.VERBOSE,
)
_BLANKS = re.compile(r"[^\S ]")
_FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters
    "\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # invisible, or bidi controls
    "\ufdd0-\ufdef\ufffe\uffff"  # noncharacters
    "\U000e0000-\U000e007f]"  # tags: invisible text
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_COMMAND = re.compile(r"##(?=\w*\[)")
"""What CI servers obey wherever it stands in a log: `##vso[` of Azure Pipelines, `##[`, `##teamcity[`."""


def printable(text: str, limit: int = 500) -> str:
    """One line of at most `limit` characters that any terminal, XML file and browser can show.

    Terminal escapes, control characters, bidi overrides and invisible characters are dropped, half surrogates become
    U+FFFD, line ends become " ⏎ ", commands to CI servers are taken apart, and what is too long ends with an ellipsis.
    """
    line = _COMMAND.sub("## ", _one_line(text))
    if len(line) <= limit:
        return line
    return line[: limit - 1].rstrip() + _ELLIPSIS if limit > 0 else ""


def printable_block(text: str, limit: int = 20_000) -> str:
    """As `printable`, for an excerpt of several lines (a log, a traceback): keeps lines and their indentation.

    What is too long loses its beginning: the end of a log is the telling part.
    """
    text = text[-_MOST_CHARACTERS_READ:]
    lines = []
    for line in text.splitlines():
        indent = re.match(r"[ \t]*", line)
        blanks = indent.group().expandtabs(4) if indent else ""
        lines.append((blanks + printable(line, 2000)).rstrip())
    block = "\n".join(lines).strip("\n")
    return block if len(block) <= limit else _ELLIPSIS + block[len(block) - limit + 1 :]


def _one_line(text: str) -> str:
    text = text[:_MOST_CHARACTERS_READ]
    if _SURROGATE.search(text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    # Twice, because what one removal leaves can itself be a sequence; _FORBIDDEN takes the rest of its teeth.
    text = _ESCAPES.sub("", _ESCAPES.sub("", text))
    # splitlines knows all line ends, also those at which pytest and others would cut the text later.
    lines = (_FORBIDDEN.sub("", _BLANKS.sub(" ", line)).strip() for line in text.splitlines())
    return _NEWLINE.join(line for line in lines if line)


_KEY = (
    r"(?:password|passwd|passphrase|pwd|secret|secret_?key(?:_?base)?|token|api_?key|private_?key|access_?key"
    r"|credentials?)"
)
_RULES = re.compile(
    rf"""
    (?<=://) (?P<user> [^\s/:@'"<>]{{0,200}} : )                            # scheme://user:password@
        (?: [^\s/'"<>]{{0,500}} (?=@) | (?!\d{{1,5}}[/?\#]) [^\s'"<>]{{1,150}}? (?=@) )
  | (?P<header> \b (?i:authorization|x-api-key) \\? ["']? \s* [:=] \s* \\? ["']?
        (?: (?i:bearer|basic|negotiate|token) \s+ )? ) (?: (?i:digest) \s [^\r\n]* | [^\s"'\\]+ )
  | (?P<cookie> \b (?i:cookie) \\? ["']? \s* : \s* \\? ["']? ) [^\s"'\\] [^\r\n"'\\]*
  | (?P<bearer> \b (?i:bearer) \s+ ) (?=[^\s"']{{0,300}}[\d._]) [A-Za-z0-9._~+/=-]{{8,}}
  | (?P<json> (?i:{_KEY}) \\*["'] \s* : \s* (?P<quote> \\*["'] ) ) (?: (?!(?P=quote)) (?: \\. | . ) )+
  | (?P<key> (?i:{_KEY}) \s? = \s? )
        (?: "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | [^\s&"'<>(]+ )
  | -----BEGIN\ [A-Z ]*PRIVATE\ KEY----- [\s\S]*? (?: -----END\ [A-Z ]*PRIVATE\ KEY----- | \Z )
  | (?P<hash> SCRAM-SHA-256\$ ) \d+:[^\s"']+
  | \b eyJ [A-Za-z0-9_-]{{8,}} \. [A-Za-z0-9_-]{{8,}} (?: \. [A-Za-z0-9_-]* )?   # a JSON web token
    """,
    re.VERBOSE,
)
# One look for a cheap hint spares most texts the rules.
_HINT = re.compile(r"(?i)://|authorization|cookie|api-key|bearer|=|[\"']\s*:|PRIVATE KEY|SCRAM-SHA|eyJ")


class Redactor:
    """Replaces secrets by "•••": those it was told, and what looks like one wherever it stands.

    A told secret is found plain and as it comes back out of URLs, JSON, base64 (so in Basic authentication),
    HTML and Python reprs. One shorter than four characters is not looked for: masking every "cat" in a report would
    both ruin it and spell out the secret. The rules still hide it as the password in a URL or in `password=…`.
    The same goes for a secret that is one of the `public` words (names of units, roles, databases, targets) or a word
    of one: with the password "mycats", every "mycats-backend" would come out as "•••-backend".
    """

    def __init__(self, secrets: Iterable[str] = (), public: Iterable[str] = ()) -> None:
        words = {word for name in public for word in (name, *re.split(r"[^A-Za-z0-9]+", name))}
        maskable = {secret for secret in secrets if secret and secret.strip() not in words}
        self.too_short = sum(1 for secret in maskable if len(secret.strip()) < SHORTEST_SECRET)
        """How many secrets were not masked by themselves. Worth a warning: they are too weak to be secrets."""
        forms = {form for secret in maskable for form in _forms(secret)}
        # Longest first, so that the whole secret goes and not the shorter one inside it.
        self._forms = sorted((f for f in forms if len(f) >= SHORTEST_SECRET), key=len, reverse=True)

    def clean(self, text: str) -> str:
        """The text without secrets. Call it on the whole text, before anything cuts it."""
        text = self._without_told(text)
        return _RULES.sub(self._masked, text) if _HINT.search(text) else text

    def printable(self, text: str, limit: int = 500) -> str:
        """`printable` without secrets, also those that line ends or escape sequences broke up."""
        return printable(self.clean(_one_line(self.clean(text))), limit)

    def _without_told(self, text: str) -> str:
        # str.find for each form is far faster than one big alternation, and sees overlapping secrets.
        spans = sorted(span for form in self._forms if form in text for span in _occurrences(form, text))
        if not spans:
            return text
        parts, end = [], 0
        for start, stop in spans:
            if start >= end:
                parts += [text[end:start], MASK]
            end = max(end, stop)
        return "".join([*parts, text[end:]])

    def _masked(self, match: re.Match[str]) -> str:
        kept = next((v for k, v in match.groupdict().items() if v is not None and k != "quote"), "")
        return kept + MASK


def _occurrences(form: str, text: str) -> Iterator[tuple[int, int]]:
    start = text.find(form)
    while start >= 0:
        yield start, start + len(form)
        start = text.find(form, start + 1)


def _forms(secret: str) -> Iterator[str]:
    stripped = secret.strip()
    if len(stripped) < SHORTEST_SECRET:
        return
    lines = [line.strip() for line in stripped.splitlines()]
    # A key file is rarely repeated whole; but short lines of it ("-----") are no secrets.
    long_lines = [line for line in lines if len(line) >= 12] if len(lines) > 1 else []
    for plain in (secret, stripped, *long_lines):
        yield plain
        for safe in ("", "/", "/:@!$&'()*+,;="):
            quoted = quote(plain, safe=safe, errors="replace")
            yield quoted
            yield re.sub(r"%[0-9A-F]{2}", lambda match: match.group().lower(), quoted)
        yield quote_plus(plain, errors="replace")
        for text in (json.dumps(plain)[1:-1], json.dumps(plain, ensure_ascii=False)[1:-1]):
            yield text
            yield text.replace("/", "\\/")
            yield text.replace("\\", "\\\\").replace('"', '\\"')
        yield repr(plain)[1:-1]
        yield html.escape(plain)
        yield from _base64_forms(plain.encode("utf-8", "surrogateescape" if _only_escaped(plain) else "replace"))


def _only_escaped(text: str) -> bool:
    return all("\udc80" <= match.group() <= "\udcff" for match in _SURROGATE.finditer(text))


def _base64_forms(raw: bytes) -> Iterator[str]:
    """As it looks alone, and the characters it fully decides when something stands before and after it."""
    for text in (base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()):
        yield text
        yield text.rstrip("=")
    for offset in range(3):
        padded = b"\0" * offset + raw
        encoded = base64.b64encode(padded)[: len(padded) * 4 // 3].decode()
        core = encoded[-(-offset * 4 // 3) :]
        if len(core) >= 8:  # a shorter one could be any word
            yield core
            yield core.replace("+", "-").replace("/", "_")
