"""The versions of the plan, what overrides them, and a control that follows: on SQLite, and on PostgreSQL where it is
installed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.app.catalogue import load as catalogue
from gateway.app.records import open_records
from gateway.config import Settings
from gateway.dialplan.version import Source, Version
from gateway.errors import Refused, SetupFault, Unavailable
from gateway.operate.keeper import Keeper
from gateway.operate.overriding import override
from gateway.operate.publish import apply, rollback
from gateway.operate.shelf import BadPlan, Shelf
from gateway.records.plans import Overrides, Plans
from gateway.records.schema import PLAN_FILES

NOW = 1_800_000_000.0
PLAN = """\
offhook: 1
country: US
human: callback
numbers: {(510) 555-0100: sales, otherwise: none}
hours: {office: Mo-Fr 9-17}
routes:
  sales: {agent: sales, hours: office, closed: none}
  none: {reject: 404}
people: {ana: {call: +1 510 555 0111}}
"""


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    made = await open_records(settings)
    yield made
    await made.dispose()


async def put(
    plans: Plans,
    content: str,
    now: float = NOW,
    *,
    effective: float | None = None,
    source: Source = Source.APPLY,
    of: int = 0,
) -> Version | None:
    files = {"main.yaml": content.encode(), "same.csv": b"x" * 1000}
    return await plans.apply(
        files, content=content, author="ana", now=now, effective=effective, message="why", source=source, of=of
    )


async def live(plans: Plans, now: float) -> int:
    found = await plans.live(now)
    return found.number if found else 0


async def test_versions_are_kept_with_all_that_was_said(engine: AsyncEngine) -> None:
    plans = Plans(engine)
    assert await plans.live(NOW) is None
    made = await put(plans, "a", NOW + 0.25)
    assert made == Version(1, "a", "ana", NOW + 0.25, NOW + 0.25, "why", Source.APPLY)
    assert await plans.live(NOW + 1) == made == await plans.get(1)
    assert await plans.files(1) == {"main.yaml": b"a", "same.csv": b"x" * 1000}
    assert await plans.of_content("a") == made
    assert await plans.of_content("b") is None
    with pytest.raises(Refused, match="no version 7"):
        await plans.get(7)


async def test_what_is_in_force_already_makes_no_version(engine: AsyncEngine) -> None:
    plans = Plans(engine)
    assert await put(plans, "a")
    assert await put(plans, "a", NOW + 1) is None
    assert await put(plans, "b", NOW + 2)
    assert await put(plans, "a", NOW + 3), "back to what was, by hand"
    assert [one.number for one in await plans.history()] == [3, 2, 1]


async def test_content_is_stored_once(engine: AsyncEngine) -> None:
    plans = Plans(engine)
    for number in range(5):
        await put(plans, f"plan {number}", NOW + number)
    async with engine.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(PLAN_FILES)) == 6


async def test_a_version_waits_for_its_time_and_may_be_withdrawn(engine: AsyncEngine) -> None:
    plans = Plans(engine)
    await put(plans, "a")
    await put(plans, "b", NOW, effective=NOW + 100)
    assert await live(plans, NOW) == 1
    await put(plans, "c", NOW + 10)
    assert [await live(plans, at) for at in (NOW + 10, NOW + 50, NOW + 100)] == [3, 3, 2]
    assert await plans.withdraw(2, NOW + 50)
    assert not await plans.withdraw(2, NOW + 51)
    assert not await plans.withdraw(1, NOW + 51)
    assert await live(plans, NOW + 200) == 3


async def test_a_rollback_pins_the_files_until_the_next_apply(engine: AsyncEngine) -> None:
    plans = Plans(engine)
    await put(plans, "a", source=Source.SAVE)
    await put(plans, "b", NOW + 1, source=Source.SAVE)
    assert await put(plans, "a", NOW + 2, source=Source.ROLLBACK, of=1)
    assert await put(plans, "c", NOW + 3, source=Source.SAVE) is None
    assert await live(plans, NOW + 4) == 3
    assert await put(plans, "a", NOW + 5), "an apply of the same content takes the pin out"
    assert await put(plans, "c", NOW + 6, source=Source.SAVE)


async def test_writers_at_once_make_one_number_each(engine: AsyncEngine) -> None:
    plans = Plans(engine)
    made = await asyncio.gather(*(put(plans, f"plan {number}", NOW + number) for number in range(8)))
    assert sorted(one.number for one in made if one) == list(range(1, 9))


async def test_replicas_whose_clocks_differ_agree(engine: AsyncEngine) -> None:
    plans = Plans(engine)
    await put(plans, "a", NOW + 5)
    assert await live(plans, NOW) == 1, "what counts at once does so for one whose clock is behind"
    assert await put(plans, "a", NOW, source=Source.SAVE) is None
    await put(plans, "b", NOW)
    assert [await live(plans, at) for at in (NOW, NOW + 9)] == [2, 2]


async def test_overrides_end_and_are_never_forgotten(engine: AsyncEngine) -> None:
    overrides = Overrides(engine)
    first = await overrides.add("close", "office", NOW + 100, "A burst pipe.", "ana", NOW)
    second = await overrides.add("away", "ana", NOW + 50, "", "ben", NOW + 1)
    assert await overrides.active(NOW + 2) == [first, second]
    assert await overrides.active(NOW + 50) == [first]
    assert await overrides.end(["close"], "office", "ben", NOW + 60) == 1
    assert await overrides.end(["close"], "office", "ben", NOW + 61) == 0
    assert await overrides.active(NOW + 62) == []
    assert [(one.id, one.ended, one.ended_by) for one in await overrides.past(NOW + 62)] == [
        (2, None, ""),
        (1, NOW + 60, "ben"),
    ]


class World:
    """Controls that follow one database, and the directory that one of them watches."""

    def __init__(self, engine: AsyncEngine, directory: Path) -> None:
        self.now = NOW
        self.plans, self.overrides = Plans(engine), Overrides(engine)
        self.files, self.directory = directory / "plans", directory
        self.files.mkdir()
        self.save(PLAN)

    def save(self, text: str) -> None:
        (self.files / "main.yaml").write_text(text)

    def keeper(self, name: str = "one") -> Keeper:
        return Keeper(
            self.plans, self.overrides, CATALOGUE, files=self.files, marker=self.directory / name, author="ana",
            clock=lambda: self.now,
        )  # fmt: skip

    async def settle(self, keeper: Keeper) -> bool:
        """Two looks, as control makes them; whether anything is new."""
        self.now += 1
        return any([await keeper.look(), await keeper.look()])

    @property
    def shelf(self) -> Shelf:
        return Shelf(CATALOGUE, self.plans, self.now)

    async def apply(self, name: str, effective: float | None = None) -> int:
        self.now += 1
        done = await apply(self.shelf, self.plans, name, author="ben", message="", effective=effective)
        return done.version.number


CATALOGUE = catalogue()


@pytest.fixture
def world(engine: AsyncEngine, tmp_path: Path) -> World:
    return World(engine, tmp_path)


def status(keeper: Keeper) -> str:
    return str(getattr(keeper.in_force.routes["none"].action, "status", ""))


async def test_a_save_is_a_version_on_every_replica_and_a_mistake_is_none(world: World) -> None:
    one, two = world.keeper(), world.keeper("two")
    await one.start()
    await two.start()
    assert one.version == two.version == await world.plans.live(world.now)
    world.save(PLAN.replace("404", "480"))
    assert await world.settle(one)
    assert await world.settle(two)
    assert (status(one), status(two)) == ("480", "480")
    assert one.version
    assert (one.version.number, one.version.source, one.version.message) == (2, Source.SAVE, "saved in plans/")
    world.save(PLAN + "nonsense: 1\n")
    assert not await world.settle(one)
    assert (status(one), one.version.number) == ("480", 2)
    assert "There is no 'nonsense'" in str(one.findings[0])
    world.save(PLAN)
    assert await world.settle(one)
    assert (status(one), list(one.findings)) == ("404", [])


async def test_what_was_saved_while_the_database_was_away_counts_when_it_is_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = world.keeper()
    await keeper.start()
    world.save(PLAN.replace("404", "486"))
    with monkeypatch.context() as away:
        away.setattr(world.plans, "apply", _no_answer)
        await keeper.look()
        for _ in range(2):
            with pytest.raises(Unavailable):
                await keeper.look()
    assert await world.settle(keeper)
    assert keeper.version is not None
    assert (keeper.version.number, keeper.version.source) == (2, Source.SAVE)


async def _no_answer(*_: object, **__: object) -> None:
    raise Unavailable("The database of plans doesn't answer.", remedy="Start it.")


async def test_what_was_saved_while_nobody_looked_counts_and_old_files_do_not(world: World) -> None:
    await world.keeper().start()
    world.save(PLAN.replace("404", "480"))
    again = world.keeper()
    await again.start()
    assert status(again) == "480"
    other = world.directory / "other.yaml"
    other.write_text(PLAN.replace("404", "486"))
    await world.apply(str(other))
    later = world.keeper()
    await later.start()
    assert status(later) == "486", "the files are as they were: what was applied since stays"


async def test_a_plan_that_is_wrong_stops_only_the_first_start(world: World) -> None:
    good, bad = PLAN, PLAN + "nonsense: 1\n"
    world.save(bad)
    with pytest.raises(SetupFault, match="nonsense"):
        await world.keeper().start()
    world.save(good)
    await world.keeper().start()
    world.save(bad)
    keeper = world.keeper()
    await keeper.start()
    assert status(keeper) == "404"
    assert keeper.findings


async def test_apply_and_rollback_reach_a_running_control(world: World) -> None:
    keeper = world.keeper()
    await keeper.start()
    world.save(PLAN.replace("404", "480"))
    await world.settle(keeper)
    world.now += 1
    done = await rollback(world.shelf, world.plans, 1, author="ben", message="")
    assert (done.version.number, done.version.of, done.version.message) == (3, 1, "back to version 1")
    assert done.difference
    assert await world.settle(keeper)
    assert status(keeper) == "404"
    assert keeper.pinned
    world.save(PLAN.replace("404", "486"))
    assert not await world.settle(keeper)
    assert status(keeper) == "404"
    assert await world.apply(str(world.files)) == 4
    assert await world.settle(keeper)
    assert (status(keeper), keeper.pinned) == ("486", False)


async def test_a_bad_apply_changes_nothing_and_says_why(world: World) -> None:
    await world.keeper().start()
    bad = world.directory / "bad.yaml"
    bad.write_text(PLAN + "nonsense: 1\n")
    with pytest.raises(BadPlan, match="Nothing was changed") as raised:
        await world.apply(str(bad))
    assert "nonsense" in str(raised.value.loaded.errors[0])
    with pytest.raises(Refused, match="is past"):
        await world.apply(str(world.files), effective=world.now)
    with pytest.raises(Refused, match="There is no plan 'gone'"):
        await world.apply("gone")
    assert len(await world.plans.history()) == 1


async def test_a_scheduled_apply_comes_in_force_at_its_time(world: World) -> None:
    keeper = world.keeper()
    await keeper.start()
    other = world.directory / "other.yaml"
    other.write_text(PLAN.replace("404", "486"))
    await world.apply(str(other), effective=world.now + 100)
    assert not await world.settle(keeper)
    world.now += 200
    assert await world.settle(keeper)
    assert status(keeper) == "486"


async def test_overrides_reach_a_running_control(world: World) -> None:
    keeper = world.keeper()
    await keeper.start()

    async def over(kind: str, subject: str, end: str, say: str = "") -> None:
        await override(
            keeper.in_force, world.overrides, kind=kind, subject=subject, end=end, say=say, author="ana",
            now=world.shelf.clock,
        )  # fmt: skip

    await over("close", "office", "in 2h", "A burst pipe.")
    assert await world.settle(keeper)
    assert keeper.state(world.now).closed["office"].say == "A burst pipe."
    assert not keeper.state(world.now + 7201).closed
    await over("open", "office", "in 1h")
    await world.settle(keeper)
    assert not keeper.state(world.now).closed, "the opening has ended the closure"
    for kind, subject, end, says in (
        ("close", "offce", "in 2h", "Did you mean 'office'?"),
        ("close", "office", "", "always has an end"),
        ("close", "office", "2020-01-01", "is past"),
        ("close", "office", "2099-01-01", "more than a year"),
        ("close", "office", "soon", "is no time"),
        ("away", "office", "in 2h", "There are: ana."),
    ):
        with pytest.raises(Refused, match=re.escape(says)):
            await over(kind, subject, end)


BY_DAY = PLAN + "tests: [{to: (510) 555-0100, expect: sales}]\n"
NIGHT = 12 * 3600


async def test_a_plans_own_tests_run_when_it_is_applied_and_never_again(world: World) -> None:
    world.save(BY_DAY)
    world.now += 3 * 3600
    await world.keeper().start()
    world.now += NIGHT
    again = world.keeper("another")
    await again.start()
    assert status(again) == "404", "a test without a time fails by night; the version was good when it was made"
    assert await world.shelf.plan("live")
    with pytest.raises(BadPlan):
        await world.apply(str(world.files))


async def test_files_that_are_touched_undo_nothing_that_was_applied(world: World) -> None:
    keeper = world.keeper()
    await keeper.start()
    other = world.directory / "other.yaml"
    other.write_text(PLAN.replace("404", "486"))
    await world.apply(str(other))
    await world.settle(keeper)
    assert keeper.differs
    world.save(PLAN)
    (world.files / "notes.txt").write_text("Call ana back.")
    assert not await world.settle(keeper)
    assert (status(keeper), len(await world.plans.history())) == ("486", 2)
    world.save(PLAN.replace("404", "480"))
    assert await world.settle(keeper)
    assert (status(keeper), keeper.differs) == ("480", False)


async def test_a_replica_that_was_cut_off_undoes_no_later_apply(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = world.keeper(), world.keeper("two")
    await one.start()
    await two.start()
    world.save(PLAN.replace("404", "480"))
    with monkeypatch.context() as away:
        away.setattr(two._plans, "apply", _no_answer)
        await two.look()
        with pytest.raises(Unavailable):
            await two.look()
    assert await world.settle(one)
    other = world.directory / "other.yaml"
    other.write_text(PLAN.replace("404", "486"))
    await world.apply(str(other))
    assert await world.settle(two)
    assert (status(two), len(await world.plans.history())) == ("486", 3)


async def test_what_is_overridden_counts_from_the_first_call_on(world: World) -> None:
    await world.keeper().start()
    await world.overrides.add("close", "office", world.now + 60, "", "ana", world.now)
    again = world.keeper()
    await again.start()
    assert "office" in again.state(world.now).closed


async def test_a_state_directory_that_cannot_be_written_stops_nothing(world: World) -> None:
    (world.directory / "blocked").write_text("no directory")
    keeper = world.keeper("blocked/marker")
    await keeper.start()
    world.save(PLAN.replace("404", "480"))
    assert await world.settle(keeper)
    other = world.directory / "other.yaml"
    other.write_text(PLAN.replace("404", "486"))
    await world.apply(str(other))
    await world.overrides.add("close", "office", world.now + 60, "", "ana", world.now)
    assert await world.settle(keeper)
    assert status(keeper) == "486"
    assert keeper.state(world.now).closed
    assert not await world.settle(keeper)
    assert status(keeper) == "486", "the saved files don't come back"


async def test_a_version_that_cannot_be_used_is_told_and_the_one_before_stays(world: World) -> None:
    keeper = world.keeper()
    await keeper.start()
    await world.plans.apply(
        {"main.yaml": b"offhook: 2\n"}, content="newer", author="ben", now=world.now, message="by another offhook"
    )
    assert not await world.settle(keeper)
    assert keeper.version
    assert (status(keeper), keeper.version.number) == ("404", 1)
    assert "reads version 1 of the language" in str(keeper.unusable[0])
    again = world.keeper()
    await again.start()
    assert (status(again), bool(again.unusable)) == ("404", True)
    world.save(PLAN.replace("404", "480"))
    assert await world.settle(keeper)
    assert (status(keeper), list(keeper.unusable)) == ("480", [])


async def test_a_name_can_mean_a_version_or_a_file_and_never_both(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.keeper().start()
    monkeypatch.chdir(world.directory)
    for name in ("live", "1"):
        Path(name).mkdir()
        Path(name, "main.yaml").write_text("nonsense")
        assert await world.shelf.plan(name)
    for name in ("x" * 300, "²"):
        with pytest.raises(Refused, match="There is no plan"):
            await world.shelf.loaded(name)


async def test_what_would_be_read_otherwise_as_a_version_is_not_applied(world: World) -> None:
    await world.keeper().start()
    other = world.directory / "other"
    other.mkdir()
    (other / "plan.yaml").write_text(PLAN.replace("{agent: sales,", "{agent: sales, settings: {facts: acme.yaml},"))
    (other / "acme.yaml").write_text("We open at nine.\n")
    with pytest.raises(Refused, match="can't be kept as a version"):
        await world.apply(str(other / "plan.yaml"))


async def test_one_override_ends_another_in_one_step(world: World) -> None:
    first = await world.overrides.add("close", "office", NOW + 100, "", "ana", NOW)
    second = await world.overrides.add("open", "office", NOW + 100, "", "ana", NOW + 1, ["close", "open"])
    assert await world.overrides.active(NOW + 2) == [second]
    assert [one.id for one in await world.overrides.past(NOW + 2)] == [first.id]
