"""Courses let on alone and together, without a backend: who goes with whom, whose error it is."""

from __future__ import annotations

import pytest

from geno_hpo.errors import TrialFailed
from geno_hpo.training.turns import Courses, Trained, Turn, alone


class Trainer:
    """Trains turns by giving back what they are; what is ill fails, by itself or with others."""

    def __init__(self, *ill, error=None):
        self.ill, self.calls = ill, []
        self.error = error or TrialFailed("memory", "too much")

    def train(self, given):
        self.calls.append(list(given))
        if any(one in self.ill for one in given):
            raise self.error
        return [Trained([one]) for one in given]


def course(trainer, name, epochs=2, kind="one"):
    """A course that keeps what it was sent; it lives through a failure as the engines do."""
    got = []
    for epoch in range(epochs):
        try:
            done = yield Turn(kind, f"{name}{epoch}", trainer.train)
        except TrialFailed as error:
            return [*got, error.kind]
        got += [*done.replicas, done.among]
    return got


def test_a_course_alone_goes_to_its_end():
    assert alone(course(Trainer(), "a")) == ["a0", 1, "a1", 1]
    assert alone(course(Trainer("a1"), "a")) == ["a0", 1, "memory"]
    assert alone(course(Trainer(), "a", epochs=0)) == []


def test_an_error_that_a_course_does_not_know_is_raised():
    with pytest.raises(ZeroDivisionError):
        alone(course(Trainer("a0", error=ZeroDivisionError()), "a"))


def test_turns_of_one_kind_go_together_and_courses_join_and_leave_between_rounds():
    trainer, turned = Trainer(), []
    courses = Courses(turned.append)
    assert courses.begin("empty", course(trainer, "e", 0)) == [[]]
    for key, epochs, kind in (("a", 1, "one"), ("b", 3, "one"), ("w", 2, "wide")):
        assert courses.begin(key, course(trainer, key, epochs, kind)) == []
    assert courses.advance() == [["a0", 3]]
    assert trainer.calls == [["a0", "b0"], ["w0"]]
    courses.begin("c", course(trainer, "c"))
    assert courses.advance() == [["w0", 3, "w1", 3]]
    assert trainer.calls[2:] == [["b1", "c0"], ["w1"]]
    assert courses.advance() == [["b0", 3, "b1", 3, "b2", 2], ["c0", 3, "c1", 2]]
    assert not len(courses)
    assert turned == ["empty", *"abw", *"abw", "c", *"bwc", *"bc"]


def test_what_fails_together_is_tried_one_by_one():
    trainer = Trainer("b0")
    courses = Courses()
    for key in "abc":
        courses.begin(key, course(trainer, key, 1))
    assert courses.advance() == [["a0", 3], ["memory"], ["c0", 3]]
    assert trainer.calls == [["a0", "b0", "c0"], ["a0"], ["b0"], ["c0"]]


def test_an_interrupt_reaches_every_course_that_trained():
    heard = []

    def hears(name):
        try:
            yield from course(trainer, name)
        except KeyboardInterrupt:
            heard.append(name)

    trainer = Trainer("a0", error=KeyboardInterrupt())
    courses = Courses()
    for key in "ab":
        courses.begin(key, hears(key))
    courses.advance()
    assert heard == ["a", "b"]
    assert len(trainer.calls) == 1


def test_closing_ends_every_course_where_it_stands_each_in_its_turn():
    closed, turned = [], []

    def closes(name):
        try:
            yield from course(Trainer(), name)
        finally:
            closed.append((name, turned[-1]))

    courses = Courses(turned.append)
    for key in "ab":
        courses.begin(key, closes(key))
    courses.close()
    assert closed == [("a", "a"), ("b", "b")]
    assert not len(courses)
