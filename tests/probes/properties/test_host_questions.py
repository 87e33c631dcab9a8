"""Whatever a host says: a fact, or one sentence why there is none. Never another exception, and never a hang."""

from __future__ import annotations

import dataclasses
import inspect
import pickle
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsverify.errors import ProbeError
from opsverify.probes.host.probe import judge
from opsverify.probes.host.question import MIB, Answer, Question
from opsverify.probes.host.run import run
from opsverify.probes.host.script import compose, read
from tests.probes.properties.questions import instances, kinds, words

NASTY = ["\n", "\n", " ", "\t", "|", ":", "=", "-", "%", '"', "'", "{", "}", "[", "]", ",", "0", "1", "-1", "1e999",
         "nan", "inf", "08", "99999999999999999999", "9" * 400, "1700000000", "253402300800", "2026-02-30", "\0", "\x1b[31m",
         "\u202e", "\ufffd", "\r", "\u2028", "\x85", "== ", "\n== ", "null", "true", "[[", '{"a":', "(", ")", "\\", "\\n"]  # fmt: skip
QUESTIONS = pytest.mark.parametrize("question", instances(), ids=lambda question: repr(question)[:80])


def fact_of(question: Question, answer: Answer) -> Any:
    """What it makes of an answer. Properties of facts count: checks read them as they read fields."""
    try:
        fact = question.parse(answer)
    except ProbeError as error:
        assert 0 < len(str(error)) < 1000
        assert "\n" not in str(error)
        return error
    for part in parts(fact):
        for name, _ in inspect.getmembers(type(part), lambda member: isinstance(member, property)):
            try:
                getattr(part, name)
            except ProbeError as error:
                assert str(error)
    return fact


def parts(fact: Any) -> Iterator[Any]:
    """A fact and the facts in it."""
    if dataclasses.is_dataclass(fact):
        yield fact
        for field in dataclasses.fields(fact):
            yield from parts(getattr(fact, field.name))
    elif isinstance(fact, (tuple, list)):
        for one in fact[:50]:
            yield from parts(one)


def test_every_kind_of_question_is_found() -> None:
    names = {kind.__name__ for kind in kinds()}
    assert {"Memory", "DatabaseDumps", "AccessLog", "Migrations", "Excerpt"} <= names
    assert names == {type(question).__name__ for question in instances()}


@QUESTIONS
@given(data=st.data())
@settings(max_examples=20)
def test_any_answer_is_a_fact_or_a_probe_error(question: Question, data: st.DataObject) -> None:
    pieces = st.sampled_from([*words(type(question)), *NASTY]) | st.text(max_size=6)
    output = data.draw(
        st.binary(max_size=200)
        | st.lists(pieces, max_size=40).map("".join).map(lambda text: text.encode("utf-8", "replace"))
    )
    status = data.draw(st.sampled_from([0, 0, 0, 1, 2, 4, 127, 137, 255]))
    errors = data.draw(st.just("") | st.text(max_size=40))
    answer = Answer(output, status, errors, truncated=data.draw(st.booleans()), sent=1.7e9, received=1.7e9 + 1)
    fact = fact_of(question, answer)
    judged = judge(question, answer)
    assert isinstance(judged, ProbeError) or judged == fact
    pickle.dumps(judged)  # it travels between workers


@pytest.fixture(scope="module")
def answered() -> dict[Question, Answer]:
    """What this machine answers to each of them: real shapes, to be cut and mixed."""
    script = compose(instances(), 3)
    done = run(["/bin/sh"], 30, feed=script.text.encode())
    answers, whole = read(script, done.output, done.sent, done.arrivals)
    assert whole
    return answers


@QUESTIONS
@given(cut=st.integers(0, 4000), to=st.integers(0, 4000), noise=st.binary(max_size=12), words=st.integers(0, 3))
@settings(max_examples=20)
def test_a_damaged_answer_is_a_fact_or_a_probe_error(
    question: Question, answered: dict[Question, Answer], cut: int, to: int, noise: bytes, words: int
) -> None:
    whole = answered[question].output
    start, end = sorted((cut % (len(whole) + 1), to % (len(whole) + 1)))
    for output in (whole[:start], whole[:start] + noise + whole[end:], whole[:start] + b"x" * words + whole[start:]):
        fact_of(question, dataclasses.replace(answered[question], output=output))


LONG = ["\0", "a", " ", "\n", "== ", "\n== x ", '{"a":', "[", "\\", '"', "1", "/", "=", "\x1b[", "%", "-", "\t", ": "]


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_the_longest_answer_is_understood_in_seconds(kind: type[Question]) -> None:
    """As long as a section may be, and of one pattern: where regular expressions and loops run away."""
    question = next(one for one in instances() if type(one) is kind)
    size = min(kind.max_bytes, MIB // 8)
    own = [word for word in words(kind) if word.startswith("== ")]
    for unit in [*LONG, *(f"{word} 1 " for word in own[:3]), *(f"\n{word}\n" for word in own[:3])]:
        answer = Answer((own[0] if own else "").encode() + (unit * (size // len(unit))).encode())
        began = time.process_time()
        fact_of(question, answer)
        assert time.process_time() - began < 2, f"{unit!r}"
