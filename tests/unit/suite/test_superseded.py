"""A repeat is replaced for noise only, and only by one that could be judged."""

from certify.checker import judge
from certify.superseded import without_superseded
from reports.record import PlanRecord, ScenarioJudgement, Verdict

from .conftest import Story, make_clean_story, make_plan

PLAN = PlanRecord(schema=1, profile="quick", seed=1, scenarios=[make_plan()])


def make_noisy(story: Story) -> Story:
    story.io(probe="control", op="read", due=1500, done=1700, lba=8)
    story.io(due=1500, done=1770, tag=1000, lba=80)
    return story


def judged(story: Story, repeat: int) -> ScenarioJudgement:
    history = story.history()
    return judge(type(history)(plan=history.plan, repeat=repeat, events=history.events,
                               ios=history.ios))  # fmt: skip


def test_noisy_repeat_is_replaced_by_a_quiet_one() -> None:
    noisy = judged(make_noisy(make_clean_story(make_plan())), 1)
    quiet = judged(make_clean_story(make_plan()), 2)

    kept, findings = without_superseded(PLAN, [noisy, quiet])

    assert kept == [quiet]
    assert findings[0].text.startswith("repeat 1 could not be timed and was made again")


def test_noisy_repeat_without_another_counts() -> None:
    noisy = judged(make_noisy(make_clean_story(make_plan())), 1)

    assert without_superseded(PLAN, [noisy, noisy])[0] == [noisy, noisy]


def test_noisy_repeat_with_wrong_data_counts() -> None:
    story = make_noisy(make_clean_story(make_plan()))
    story.io(probe="readback:path2", op="read", due=3045, tag=299)
    wrong, quiet = judged(story, 1), judged(make_clean_story(make_plan()), 2)

    kept, _ = without_superseded(PLAN, [wrong, quiet])

    assert kept == [wrong, quiet]
    assert wrong.verdict is Verdict.FAIL
