from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.calls.hearing import (
    ATTENDED,
    CALLER,
    JOB,
    STRANGER,
    VOICE,
    Change,
    Ledger,
    Matrix,
    Party,
    bridge,
    consults,
    hears,
    introduction,
    leg,
    leg_name,
    talk,
    track,
    whispering,
)

ME, THEM, ROBOT = "sip_them", "leg-1", "agent"


def room(matrix: Matrix | None) -> Ledger:
    ledger = Ledger(matrix).seen(ROBOT, JOB, {"TR_job": "voice"}).seen(ME, CALLER, {"TR_me": "me"})
    return ledger.seen(THEM, leg("1"), {"TR_them": "them"})


def changes(ledger: Ledger) -> set[tuple[str, str, bool]]:
    return {(change.listener, sid, change.subscribe) for change in ledger.wanted() for sid in change.tracks}


def told(ledger: Ledger) -> Ledger:
    for change in ledger.wanted():
        ledger = ledger.told(change)
    return ledger


def test_while_a_phone_rings_it_hears_nobody_and_nobody_hears_it() -> None:
    assert changes(room(ATTENDED)) == {
        (ME, "TR_job", True),
        (ME, "TR_them", False),
        (ROBOT, "TR_me", True),
        (ROBOT, "TR_them", False),
        (THEM, "TR_me", False),
        (THEM, "TR_job", False),
    }


def test_a_matrix_tells_whether_somebody_is_heard_at_all() -> None:
    assert ATTENDED.heard(JOB)
    assert hears(CALLER, track(JOB, "music")).heard(JOB)
    assert not bridge("1").heard(JOB)
    assert not hears(JOB, CALLER).heard(JOB)
    assert not hears(CALLER, leg("jobs")).heard(leg("job"))


def test_in_a_bridge_the_job_is_out() -> None:
    found = changes(told(room(ATTENDED)).seen(ME, CALLER, {"TR_me": "me"}))
    assert found == set()
    bridged = replace(told(room(ATTENDED)), matrix=bridge("1"))
    assert changes(bridged) == {
        (ME, "TR_job", False),
        (ME, "TR_them", True),
        (ROBOT, "TR_me", False),
        (THEM, "TR_me", True),
    }
    assert bridged.permissions() == {ME: frozenset(), THEM: frozenset()}


def test_nobody_is_told_anything_without_a_matrix() -> None:
    assert room(None).wanted() == ()


def test_those_who_must_fall_silent_come_first() -> None:
    order = [change.subscribe for change in room(ATTENDED).wanted()]
    assert order == sorted(order)


def test_what_was_told_is_told_again_once_it_is_doubtful() -> None:
    ledger = told(room(ATTENDED))
    assert {who for who, _, _ in changes(ledger.stirred(THEM))} == {THEM}
    assert changes(ledger.doubted(Change(ME, frozenset({"TR_them"}), subscribe=False))) == {(ME, "TR_them", False)}
    assert changes(ledger.forgotten()) == changes(room(ATTENDED))


def test_one_track_of_the_job_can_be_for_one_only() -> None:
    matrix = hears(CALLER, track(JOB, "hold")) | hears(leg("1"), track(JOB, "whisper")) | hears(JOB, leg("1"))
    ledger = room(matrix).seen(ROBOT, JOB, {"TR_hold": "hold", "TR_whisper": "whisper"})
    assert ledger.permissions() == {ME: frozenset({"TR_hold"}), THEM: frozenset({"TR_whisper"})}
    assert (ROBOT, "TR_them", True) in changes(ledger)
    assert (ROBOT, "TR_me", False) in changes(ledger)


def test_a_phone_that_hears_nobody_by_itself_is_told_nothing_until_it_is_to_hear_somebody() -> None:
    came = (
        Ledger(consults([]))
        .seen(ROBOT, JOB, {"TR_job": VOICE, "TR_w": whispering("1")})
        .seen(ME, CALLER, {"TR_me": "me"})
    )
    rings = told(came.seen(THEM, leg("1"), {"TR_them": "them"}, waits=True))
    assert not any(change.listener == THEM for change in rings.forgotten().stirred(THEM).wanted())

    whispers = told(replace(rings, matrix=consults(["1"])))
    assert {one for one in changes(whispers.forgotten()) if one[0] == THEM} == {(THEM, "TR_w", True)}
    silent = replace(whispers.forgotten(), matrix=consults([]))
    assert {one for one in changes(silent) if one[0] == THEM} == {(THEM, "TR_w", False)}, "it may hear it still"
    assert {one for one in changes(whispers.strange()) if one[0] == THEM} == {
        (THEM, "TR_w", True),
        (THEM, "TR_job", False),
        (THEM, "TR_me", False),
    }

    talks = told(replace(whispers, matrix=bridge("1")))
    apart = replace(talks.forgotten(), matrix=consults([])).seen(ME, CALLER, {"TR_me": "me", "TR_new": "me"})
    assert {one for one in changes(apart) if one[0] == THEM} == {
        (THEM, sid, False) for sid in ("TR_w", "TR_job", "TR_me", "TR_new")
    }, "its service may have subscribed to whoever it has heard before"


def test_who_is_heard_directly_by_all_who_are_to_hear_them_isnt_heard_by_livekit() -> None:
    both = {ME: {THEM}, THEM: {ME}}
    bridged = room(bridge("1"))
    assert (bridged.by_livekit(both), bridged.unheard(both)) == (set(), {ME, THEM})
    assert (bridged.by_livekit({ME: {THEM}}), bridged.unheard({ME: {THEM}})) == ({ME}, {THEM})
    third = bridged.seen("leg-2", leg("2"), {"TR_2": "voice"})
    for matrix in (talk(CALLER, leg("1"), leg("2")), bridge("1") | hears(leg("2"), CALLER, track(leg("1"), "them"))):
        three = replace(third, matrix=matrix)
        assert {ME, THEM} <= three.by_livekit(both)
        assert three.unheard(both) == set()
        assert three.by_livekit({**both, "leg-2": {ME}}) >= {THEM}
    assert third.unheard(both) == {ME, THEM}, "who rings hears nobody"
    assert room(bridge("1") | hears(JOB, CALLER)).unheard(both) == {THEM}
    assert room(ATTENDED).by_livekit({}) == {ME, ROBOT}
    assert room(bridge("2")).unheard(both) == set(), "nobody is to hear either"
    assert room(None).unheard(both) == set()
    assert bridged.seen(ME, CALLER, {}).unheard(both) == {THEM}, "whoever publishes nothing may be about to"


def test_a_leg_is_known_by_its_identity() -> None:
    assert leg_name(leg("a2")) == "a2"
    assert leg_name("sip_+15105550123") == ""


PARTIES = {ME: CALLER, ROBOT: JOB, "leg-1": leg("1"), "leg-2": leg("2"), "leg-3": leg("3"), "spy": STRANGER}
_PHONES = st.sampled_from([ME, "leg-1", "leg-2", "leg-3", "spy"])
_LATE = st.sampled_from([False, False, False, True])
_NAMED = st.sampled_from([CALLER, JOB, leg("1"), leg("2"), leg("3"), track(JOB, "hold"), track(JOB, "whisper")])
_MATRICES = st.one_of(
    st.just(ATTENDED),
    st.sampled_from(["1", "2", "3"]).map(bridge),
    st.just(talk(CALLER, leg("1"), leg("2"))),
    st.just(talk(CALLER, leg("1")) | hears(leg("2"), CALLER, leg("1"))),
    st.frozensets(st.tuples(_NAMED, _NAMED), max_size=8).map(Matrix),
)


class Rooms(RuleBasedStateMachine):
    """LiveKit, the SIP services and the job, each as slow as it likes.

    `actual` is what LiveKit has: the truth that the ledger must bring about. The job gets the room's events late, and
    LiveKit the job's requests. A SIP service subscribes to everything whenever it stirs: before the job hears of it, or
    `late`, and then the job's look a while afterwards must put it right.
    """

    def __init__(self) -> None:
        super().__init__()
        self.tracks: dict[str, dict[str, str]] = {ROBOT: {}}
        self.actual: set[tuple[str, str]] = set()
        self.permitted: dict[str, frozenset[str]] = {}
        self.events: list[tuple[str, str, dict[str, str]]] = []
        self.flying: list[Change] = []
        self.late: list[tuple[str, str]] = []
        self.unsettled = False
        self.fails = 0
        self.count = 0
        self.ledger = Ledger().seen(ROBOT, JOB, {})

    @initialize(matrix=_MATRICES)
    def begins(self, matrix: Matrix) -> None:
        self.ledger = replace(self.ledger, matrix=matrix)
        for who in (ME, "leg-1"):
            self.joins(who, late=False)
            self.publishes(who, "voice", late=False)

    def tell(self, who: str, what: str) -> None:
        self.events.append((who, what, dict(self.tracks.get(who, {}))))

    def subscribe(self, who: str, only: str = "") -> None:
        if who in self.tracks:
            others = {sid for other in self.tracks if other != who for sid in self.tracks[other]}
            self.actual |= {(who, sid) for sid in others if only in ("", sid)}

    def stirs(self, who: str, late: bool, only: str = "") -> None:
        if late:
            self.late.append((who, only))
            self.unsettled = True
        else:
            self.subscribe(who, only)

    @rule(who=_PHONES, late=_LATE)
    def joins(self, who: str, late: bool) -> None:
        if who not in self.tracks:
            self.tracks[who] = {}
            self.stirs(who, late)
            self.tell(who, "seen")

    @rule(who=st.sampled_from([*PARTIES]), name=st.sampled_from(["voice", "hold", "whisper"]), late=_LATE)
    def publishes(self, who: str, name: str, late: bool) -> None:
        if who in self.tracks:
            self.count += 1
            sid = f"TR_{self.count}"
            self.tracks[who] = {**self.tracks[who], sid: name}
            for other in self.tracks:  # LiveKit subscribes the job, the SIP services their phones
                if other != who:
                    self.stirs(other, late and other != ROBOT, sid)
            self.tell(who, "seen")

    @rule(who=st.sampled_from([*PARTIES]))
    def unpublishes(self, who: str) -> None:
        if self.tracks.get(who):
            sid = next(iter(self.tracks[who]))
            self.tracks[who] = {one: name for one, name in self.tracks[who].items() if one != sid}
            self.actual = {(listener, one) for listener, one in self.actual if one != sid}
            self.tell(who, "seen")

    @rule(who=_PHONES, late=_LATE)
    def is_answered_or_reconnects(self, who: str, late: bool) -> None:
        if who in self.tracks:
            self.stirs(who, late)
            self.tell(who, "stirred")

    @rule(who=_PHONES)
    def leaves(self, who: str) -> None:
        if who in self.tracks:
            gone = self.tracks.pop(who)
            self.actual = {(listener, sid) for listener, sid in self.actual if listener != who and sid not in gone}
            self.tell(who, "left")

    @rule(matrix=_MATRICES)
    def the_matrix_changes(self, matrix: Matrix) -> None:
        self.ledger = replace(self.ledger, matrix=matrix)

    @rule()
    def a_service_is_late(self) -> None:
        if self.late:
            self.subscribe(*self.late.pop(0))

    @precondition(lambda self: self.events)
    @rule()
    def the_job_hears(self) -> None:
        who, what, tracks = self.events.pop(0)
        if what == "left":
            self.ledger = self.ledger.left(who)
        else:
            self.ledger = self.ledger.seen(who, PARTIES[who], tracks)
            if what == "stirred":
                self.ledger = self.ledger.stirred(who)

    @precondition(lambda self: not self.flying)
    @rule()
    def the_job_asks(self) -> None:
        for change in self.ledger.wanted():
            self.ledger = self.ledger.told(change)
            self.flying.append(change)
        self.permitted = dict(self.ledger.permissions())

    @precondition(lambda self: self.flying)
    @rule(fails=st.booleans())
    def livekit_obeys(self, fails: bool) -> None:
        change = self.flying.pop(0)
        if fails and self.fails < 5:
            self.fails += 1
            self.ledger = self.ledger.doubted(change)
            return
        there = {sid for who in self.tracks for sid in self.tracks[who] if who != change.listener}
        if change.listener in self.tracks:
            pairs = {(change.listener, sid) for sid in change.tracks & there}
            self.actual = self.actual | pairs if change.subscribe else self.actual - pairs

    @rule()
    def all_is_drained(self) -> None:
        """Then, and only then, everybody must hear whom the matrix says."""
        while self.events:
            self.the_job_hears()
        while self.late:
            self.a_service_is_late()
        while self.flying:
            self.livekit_obeys(fails=False)
        if self.unsettled:
            self.ledger, self.unsettled = self.ledger.forgotten(), False
        self.the_job_asks()
        while self.flying:
            self.livekit_obeys(fails=False)
        self.judge()

    def teardown(self) -> None:
        if self.ledger.matrix is not None:
            self.all_is_drained()

    @invariant()
    def nobody_counts_as_unheard_whom_anybody_is_to_hear_by_livekit(self) -> None:
        matrix, direct = self.ledger.matrix, {who: {ME, "leg-2"} for who in ("leg-1", "leg-2", ROBOT)}
        for speaker in self.ledger.unheard(direct) if matrix is not None else ():
            for listener, one in self.ledger.present.items():
                names = self.ledger.present[speaker].tracks.values()
                meant = any(matrix.allows(one.party, self.ledger.present[speaker].party, name) for name in names)
                assert listener == speaker or not meant or speaker in direct.get(listener, ())

    def judge(self) -> None:
        matrix = self.ledger.matrix
        assert matrix is not None
        for listener in self.tracks:
            for speaker, tracks in self.tracks.items():
                for sid, name in tracks.items():
                    if listener == speaker:
                        continue
                    heard = (listener, sid) in self.actual
                    if speaker == ROBOT:
                        heard = heard and sid in self.permitted.get(listener, frozenset())
                    assert heard == matrix.allows(PARTIES[listener], Party(PARTIES[speaker]), name), (listener, speaker)

    @invariant()
    def the_ledger_knows_nothing_of_those_gone(self) -> None:
        if not self.events:
            assert set(self.ledger.present) == set(self.tracks)


Rooms.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestRooms = Rooms.TestCase


names = st.lists(st.text("abc-19", min_size=1, max_size=6), unique=True, max_size=5)


@given(names)
def test_who_is_asked_hears_what_is_for_them_alone_and_the_caller_none_of_them(asked: list[str]) -> None:
    matrix = consults(asked)
    assert matrix.allows(CALLER, JOB, VOICE)
    for name in asked:
        assert matrix.allows(leg(name), JOB, whispering(name))
        assert matrix.allows(JOB, leg(name))
        assert not matrix.allows(CALLER, leg(name))
        assert not matrix.allows(leg(name), CALLER)
        assert not matrix.allows(leg(name), JOB, VOICE)
        assert not matrix.allows(CALLER, JOB, whispering(name))
        assert not any(matrix.allows(leg(name), JOB, whispering(other)) for other in asked if other != name)
        assert not any(matrix.allows(leg(name), leg(other)) for other in asked)
    assert not matrix.allows(JOB, CALLER), "nobody listens to who waits"


def test_two_who_are_introduced_hear_each_other_and_us_and_we_hear_nobody() -> None:
    matrix = introduction("1")
    assert matrix.allows(CALLER, leg("1"))
    assert matrix.allows(leg("1"), CALLER)
    assert matrix.allows(CALLER, JOB, VOICE)
    assert matrix.allows(leg("1"), JOB, VOICE)
    assert not matrix.allows(leg("1"), JOB, whispering("1"))
    assert not matrix.allows(JOB, CALLER)
    assert not matrix.allows(JOB, leg("1"))
