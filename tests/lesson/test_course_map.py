"""The map of the course: lessons below what they build on, arrows, states, links, one picture."""

import io
import itertools
import random
from pathlib import Path

import pytest
from PIL import Image

from radixlab.grade.registry import EXERCISES
from radixlab.lesson import course_map
from radixlab.lesson.course import Lesson, lessons
from radixlab.lesson.course_map import CourseMap
from radixlab.lesson.course_map.layout import arrows, depths, layout, tasks_of
from radixlab.lesson.standing import Standing, State

COURSE = list(lessons(Path(__file__).parents[2] / "notebooks"))


def drawn(seed):
    """A course of up to 14 lessons; some links lead to later lessons, or to none."""
    rng = random.Random(seed)
    number = rng.randint(1, 14)
    files = [f"{k:02}_x.ipynb" for k in range(number)]
    tasks = rng.sample(list(EXERCISES), rng.randint(0, len(EXERCISES)))
    course = []
    for k, file in enumerate(files):
        needs = rng.sample([*files, "99_none.ipynb"], rng.randint(0, min(3, number)))
        own = tuple(tasks.pop() for _ in range(min(len(tasks), rng.randint(0, 2))))
        course.append(Lesson(file, f"{k:02} · A lesson", 10, (), (), own, tuple(needs)))
    return course


ANY_COURSE = pytest.mark.parametrize(
    "course", [COURSE, *map(drawn, range(20))], ids=lambda course: f"{len(course)}"
)


@ANY_COURSE
def test_a_lesson_is_below_all_that_it_builds_on(course):
    rows, number = depths(course), {lesson.file: k for k, lesson in enumerate(course)}
    for lesson in course:
        for file in lesson.builds_on:
            if number.get(file, len(course)) < number[lesson.file]:
                assert rows[file] < rows[lesson.file]


@ANY_COURSE
def test_no_two_boxes_overlap_and_all_are_inside(course):
    spots, (width, height) = layout(course)
    assert set(spots) == {each.file for each in course} | {
        task.id for each in course for task in tasks_of(each)
    }
    for spot in spots.values():
        assert spot.x >= 0 and spot.x + spot.width <= width + 1e-9
        assert spot.y >= 0 and spot.y + spot.height <= height
    for one, two in itertools.combinations(spots.values(), 2):
        apart = (
            one.x + one.width <= two.x + 1e-9
            or two.x + two.width <= one.x + 1e-9
            or one.y + one.height <= two.y + 1e-9
            or two.y + two.height <= one.y + 1e-9
        )
        assert apart


def reachable(pairs, start):
    found, todo = set(), [start]
    while todo:
        here = todo.pop()
        todo += [above for above, below in pairs if below == here and above not in found]
        found |= {above for above, below in pairs if below == here}
    return found


@ANY_COURSE
def test_arrows_lead_to_all_that_a_lesson_needs_and_none_can_be_spared(course):
    pairs, number = arrows(course), {lesson.file: k for k, lesson in enumerate(course)}
    for lesson in course:
        before = {f for f in lesson.builds_on if number.get(f, len(course)) < number[lesson.file]}
        assert before <= reachable(pairs, lesson.file)
    for pair in pairs:
        assert pair[0] not in reachable([other for other in pairs if other != pair], pair[1])


def test_the_lessons_say_what_they_build_on():
    files = [lesson.file for lesson in COURSE]
    for number, lesson in enumerate(COURSE):
        assert set(lesson.builds_on) <= set(files[:number])
        assert bool(lesson.builds_on) == (number > 0)


def standing():
    """A learner who knows lesson 01, has done 00, has begun 02, and has points."""
    keys = [*COURSE[0].core, *COURSE[1].core, COURSE[2].core[0]]
    return Standing(
        guesses=dict.fromkeys(keys, 1),
        express=dict.fromkeys(COURSE[1].core, "right"),
        points={"8.5.1": {"points": 25}, "8.5.2": {"points": 7}},
    )


def test_the_words_and_the_links_tell_each_state():
    shown = CourseMap(COURSE, standing())
    rows, page = shown.text().split("\n"), shown._repr_mimebundle_()[0]["text/html"]
    for title, state in (
        (COURSE[0].title, State.DONE),
        (COURSE[1].title, State.KNOWN),
        (COURSE[2].title, State.BEGUN),
        (COURSE[3].title, State.OPEN),
        (f"8.5.1 {EXERCISES['8.5.1'].title}", State.DONE),
        (f"8.5.2 {EXERCISES['8.5.2'].title}", State.BEGUN),
        (f"8.5.3 {EXERCISES['8.5.3'].title}", State.OPEN),
    ):
        assert f"{title}: {state}" in page
        assert any(row.strip().startswith(title) and row.endswith(state) for row in rows)
    exercises = [f"{task.notebook}.ipynb" for task in EXERCISES.values()]
    for name in [*(lesson.file for lesson in COURSE), *exercises]:
        assert page.count(f'href="../work/{name}"') == 1


def test_the_same_learner_gets_the_same_picture_and_another_one_another():
    some = COURSE[:3]
    first, again, bare = (CourseMap(some, who) for who in (standing(), standing(), Standing()))
    assert first.png() == again.png() != bare.png()
    with Image.open(io.BytesIO(first.png())) as picture:
        assert picture.getpixel((0, 0))[3] == 0  # the page shows through


def test_a_checked_notebook_shows_nobodys_state(home, monkeypatch):
    home.mkdir(parents=True)
    (home / "guesses.json").write_text('{"00/blocks": 16}')
    assert "00 · Start here: begun" in course_map().text()
    monkeypatch.setenv("RADIXLAB_STATIC", "1")
    data, about = course_map()._repr_mimebundle_()
    assert set(data) == {"text/plain", "image/png"} and "begun" not in data["text/plain"]
    assert about["image/png"]["alt"] == data["text/plain"].split("\n")[0]
