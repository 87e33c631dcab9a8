"""Whether a browser takes an answer for a script or a style. Pure.

Source: Fetch standard, "X-Content-Type-Options header" and "should response to request be blocked due to its MIME
type"; HTML standard, "fetch a classic script", "fetch a single module script" and the link type "stylesheet"; MIME
Sniffing standard, "JavaScript MIME type".
"""

from __future__ import annotations

JAVASCRIPT = frozenset(
    {
        *(f"{kind}/{prefix}{name}script" for kind in ("application", "text") for prefix in ("", "x-")
          for name in ("ecma", "java")),
        *(f"text/javascript1.{version}" for version in range(6)),
        "text/jscript",
        "text/livescript",
    }
)  # fmt: skip
NO_CLASSIC_SCRIPT = ("audio/", "image/", "video/", "text/csv")
"""Types of which browsers run no classic script, whatever the server says of guessing."""


def refusal(kind: str, media_type: str | None, nosniff: bool) -> str | None:
    """Why browsers do not take an answer of this media type for a "script", a "module" or a "style", or None.

    A page is neither, though browsers try to run one as a classic script.
    """
    shown = media_type or "no content type"
    if kind in ("script", "module", "style") and media_type == "text/html":
        return f"a page (text/html) instead of a {kind}"
    strictly = " (with nosniff)" if nosniff else ""
    if kind == "module" or (kind == "script" and nosniff):
        return None if media_type in JAVASCRIPT else f"{shown} instead of JavaScript{strictly}"
    if kind == "script":
        refused = media_type is not None and media_type.startswith(NO_CLASSIC_SCRIPT)
        return f"{shown} instead of JavaScript" if refused else None
    if kind == "style":
        taken = media_type == "text/css" or (media_type is None and not nosniff)
        return None if taken else f"{shown} instead of text/css{strictly}"
    return None


def is_nosniff(content_type_options: str | None) -> bool:
    """Whether X-Content-Type-Options forbids guessing: its first value counts."""
    return (content_type_options or "").partition(",")[0].strip().lower() == "nosniff"
