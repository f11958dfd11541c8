"""Which tests prove what a caller meets: every kind of stop × every way out of it.

`python -m tests.e2e.endings` writes the table into README.md. A cell without a test says why there is none: `Never` for
what can't happen, `Open` for what isn't made or proven yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- endings -->\n", "<!-- /endings -->\n"


@dataclass(frozen=True)
class Never:
    """It can't happen there."""

    why: str


@dataclass(frozen=True)
class Open:
    """It may happen, and no test of a real call proves what comes then."""

    why: str


Proof = tuple[str, ...]
"""Tests as FILE::TEST, the file below tests/e2e and without its `.py`."""
Cell = Proof | Never | Open


def of(file: str, *tests: str) -> Proof:
    """The tests of a file below tests/e2e."""
    return tuple(f"{file}::test_{test}" for test in tests)


ENDINGS: Mapping[str, str] = {
    "own": "its own end",
    "caller": "the caller hangs up",
    "human": "the human hangs up",
    "talk": "the caller hangs up on the human",
    "refused": "refused",
    "busy": "busy",
    "no answer": "no answer",
    "unreachable": "not to be reached",
    "nobody": "nobody on duty",
    "key": "a key that leads on",
    "person": "0, or the word",
    "wrong key": "a key that leads nowhere",
    "silence": "silence",
    "speech": "speech",
    "time": "its time is over",
    "closed": "closed",
    "full": "full",
    "no agent": "no agent",
    "dead air": "dead air",
}
"""Ways out, as the table's columns and in words."""

_RINGS_NOBODY = dict.fromkeys(
    ("human", "talk", "refused", "busy", "no answer", "unreachable", "nobody"), Never("nobody is rung there")
)
_NO_AI = Never("no AI is needed there")
_CLOSED = of("house/test_menus", "a_closed_route_of_any_kind_tells_so")
_FULL = of("house/test_menus", "a_full_route_of_any_kind_tells_so_and_is_free_again")
_TO_TEAM = of("test_house", "an_agents_caller_who_asks_for_a_person_reaches_the_team")
_UNHEARD = Never("nobody listens there")
_LEADS = Never("it always leads on")

TABLE: Mapping[str, Mapping[str, Cell]] = {
    "agent": {
        "human": of("test_handoff", "a_human_takes_the_caller_once_they_have_heard_whose_call_it_is")
        + of("test_handoff", "who_hangs_up_in_the_whisper_hasnt_taken_the_call"),
        "talk": of("test_handoff", "of_two_who_have_answered_the_first_to_take_it_gets_the_caller"),
        **dict.fromkeys(
            ("refused", "busy", "unreachable"), of("test_handoff", "a_phone_that_refuses_is_told_apart_by_its_status")
        ),
        "no answer": of("test_handoff", "who_doesnt_answer_leaves_the_caller_to_the_agent_in_time"),
        "nobody": of("test_handoff", "where_nobody_can_be_had_the_caller_is_told_before_anybody_is_promised"),
        "own": of("test_calls", "sales_takes_a_lead_by_speech"),
        "caller": of("test_calls", "a_caller_who_hangs_up_in_the_greeting_leaves_nothing_behind"),
        "key": of("test_calls", "support_takes_a_ticket_number_by_keypad"),
        "person": of("test_calls", "zero_books_a_callback_in_mid_sentence", "a_person_is_the_plans_human_route")
        + _TO_TEAM,
        "wrong key": Never("keys are entries of a field, and it asks again for one that can't be"),
        "silence": of("house/test_agents", "an_agent_asks_a_silent_caller_and_hangs_up"),
        "speech": of("test_calls", "sales_takes_a_lead_by_speech")
        + of("test_danger", "a_caller_in_danger_is_told_to_hang_up_and_dial"),
        "time": of("test_quiet", "a_call_ends_with_its_routes_minutes"),
        "closed": _CLOSED + of("test_house", "closed_hours_are_told_with_the_words_for_them"),
        "full": _FULL,
        "no agent": of("test_calls", "an_agent_whose_engine_fails_says_so_and_books_a_callback")
        + of("house/test_agents", "an_agent_that_fails_leads_where_the_plan_says"),
        "dead air": of("test_dead_air", "who_hears_no_answer_but_a_holding_phrase_is_led_on"),
    },
    "menu": {
        **_RINGS_NOBODY,
        "own": _LEADS,
        "caller": of("test_house", "a_caller_who_hangs_up_in_the_menu_is_recorded_as_abandoned"),
        "key": of("test_house", "a_key_interrupts_the_menu_and_leads_on")
        + of("house/test_menus", "a_wav_is_a_menus_prompt")
        + of("house/test_strangers", "sipp_chooses_in_a_menu_by_keys_of_its_own"),
        "person": of("test_house", "zero_leads_to_a_person")
        + of("house/test_menus", "who_says_person_at_a_menu_of_keys_reaches_one"),
        "wrong key": of("test_house", "a_wrong_key_is_told_and_silence_ends_in_a_goodbye")
        + of("house/test_menus", "keys_that_lead_nowhere_use_the_menu_up"),
        "silence": of("test_house", "a_wrong_key_is_told_and_silence_ends_in_a_goodbye"),
        "speech": of("test_house", "who_talks_at_a_menu_is_led_where_talking_leads")
        + of("test_house", "what_a_caller_says_at_a_menu_is_answered_and_needs_not_be_said_again")
        + of("house/test_menus", "who_talks_where_talking_leads_nowhere_hears_the_menu_again"),
        "time": Never("its time is the silence of its tries"),
        "closed": _CLOSED,
        "full": _FULL,
        "no agent": _NO_AI,
        "dead air": of("house/test_menus", "a_menu_of_which_nothing_can_be_heard_leads_on"),
    },
    "team": {
        "own": Never("it ends with a talk, or leads on"),
        "caller": of("test_house", "a_caller_who_hangs_up_in_the_line_is_recorded_as_abandoned"),
        "human": of("test_house", "a_team_is_rung_one_after_the_other", "nobody_hears_a_phone_that_rings"),
        "talk": of("test_house", "of_a_team_that_rings_at_once_the_first_to_answer_wins")
        + of("house/test_strangers", "sipp_takes_a_teams_call"),
        "refused": of("house/test_teams", "a_team_goes_on_past_who_refuses_is_busy_or_cant_be_reached"),
        "busy": of("house/test_teams", "a_team_goes_on_past_who_refuses_is_busy_or_cant_be_reached")
        + of("test_house", "a_team_is_rung_one_after_the_other"),
        "no answer": of("test_house", "a_team_is_rung_one_after_the_other")
        + of("house/test_teams", "who_misses_three_calls_in_a_row_is_paused"),
        "unreachable": of("house/test_teams", "a_team_goes_on_past_who_refuses_is_busy_or_cant_be_reached"),
        "nobody": of("test_house", "a_team_of_which_nobody_is_on_duty_books_a_callback")
        + of("house/test_teams", "who_is_away_isnt_rung_from_then_on"),
        "key": of("test_house", "a_key_leads_out_of_the_line"),
        "person": Never("the caller waits for a person"),
        "wrong key": of("house/test_menus", "a_wav_is_a_queues_music_that_other_keys_dont_end"),
        "silence": Never("who waits is silent"),
        "speech": _UNHEARD,
        "time": of("test_house", "a_line_ends_after_its_time"),
        "closed": _CLOSED,
        "full": _FULL,
        "no agent": _NO_AI,
        "dead air": Never("a human hears for themselves"),
    },
    "dial": {
        "own": Never("it ends with a talk, or leads on"),
        "caller": of("test_house", "a_caller_who_gives_up_stops_the_ringing"),
        "human": of("test_house", "one_person_is_rung_and_the_two_talk"),
        "talk": of("test_house", "a_caller_who_hangs_up_ends_the_humans_call"),
        **dict.fromkeys(("refused", "busy"), of("test_house", "who_is_rung_and_refuses_leads_to_what_the_plan_says")),
        "no answer": of("test_house", "who_doesnt_answer_is_given_up_in_time"),
        "unreachable": of("test_house", "a_phone_that_cant_be_reached_leads_on"),
        "nobody": of("test_house", "nobody_on_duty_books_a_callback"),
        "key": Never("no key leads out of a dial"),
        "person": Never("a person is being rung"),
        "wrong key": Never("keys count for nothing there"),
        "silence": Never("who waits is silent"),
        "speech": _UNHEARD,
        "time": of("test_house", "who_doesnt_answer_is_given_up_in_time"),
        "closed": _CLOSED,
        "full": _FULL,
        "no agent": _NO_AI,
        "dead air": Never("a human hears for themselves"),
    },
    "message": {
        **_RINGS_NOBODY,
        "own": of("test_house", "a_message_is_ended_by_the_pound_key_and_kept")
        + of("house/test_messages", "people_are_told_hear_and_tick_off"),
        "caller": of("test_house", "a_message_of_who_hangs_up_is_kept", "who_says_nothing_leaves_no_message"),
        "key": of("house/test_messages", "a_message_is_recorded_again_by_a_key")
        + of("test_house", "a_message_is_ended_by_the_pound_key_and_kept"),
        "person": of("house/test_messages", "a_key_skips_the_words_and_zero_leads_to_a_person"),
        "wrong key": of("house/test_messages", "a_key_skips_the_words_and_zero_leads_to_a_person"),
        "silence": of("house/test_messages", "a_message_ends_by_silence", "who_never_speaks_is_asked_again_and_let_go"),
        "speech": of("test_house", "a_message_is_written_down"),
        "time": of("test_house", "a_message_ends_after_its_time"),
        "closed": _CLOSED + of("house/test_menus", "closed_hours_tell_when_they_begin_again"),
        "full": _FULL,
        "no agent": of("house/test_agents", "an_agent_that_fails_leads_where_the_plan_says"),
        "dead air": Never("silence ends a message"),
    },
    "callback": {
        **_RINGS_NOBODY,
        "own": of("test_house", "nobody_on_duty_books_a_callback"),
        "caller": of("house/test_menus", "an_emergency_number_is_never_dialed_nor_called_back"),
        "key": of("test_house", "a_withheld_number_is_keyed_in_for_the_callback"),
        "person": Never("a 0 is a digit of the number"),
        "wrong key": of("house/test_menus", "an_emergency_number_is_never_dialed_nor_called_back"),
        "silence": of("house/test_menus", "who_keys_no_number_is_let_go"),
        "speech": _UNHEARD,
        "time": Never("its time is the silence of its tries"),
        "closed": Never("a promise has no hours"),
        "full": Never("a promise has no limits"),
        "no agent": of("test_calls", "an_agent_whose_engine_fails_says_so_and_books_a_callback"),
        "dead air": Never("silence ends it"),
    },
    "reject": {
        **dict.fromkeys(ENDINGS, Never("it is never answered")),
        "own": of("test_calls", "a_number_is_rejected_as_the_plan_says")
        + of("test_plans", "callers_get_what_the_plan_says_with_its_exact_status"),
        "caller": Never("it is over at once"),
        "closed": _CLOSED,
        "full": Never("it has no limits"),
    },
    "goodbye": {
        **dict.fromkeys(ENDINGS, Never("it ends with its words")),
        "own": of("test_house", "a_wrong_key_is_told_and_silence_ends_in_a_goodbye"),
        "caller": of("house/test_menus", "a_caller_may_hang_up_on_the_goodbye"),
    },
}
"""By the kind of stop: the plan's, an agent's with the handoffs that it makes; the promise of a callback, and the goodbye
that an answered caller hears where the plan rejects. `split` and `route` are passed through: nobody stops there."""


def rendered(table: Mapping[str, Mapping[str, Cell]] = TABLE, endings: Mapping[str, str] = ENDINGS) -> str:
    """A table and its remarks in Markdown."""
    notes: dict[str, int] = {}
    head = ["| | " + " | ".join(table) + " |", "| --- |" + " --- |" * len(table)]
    rows = [
        f"| {words} | " + " | ".join(_cell(table[kind][ending], notes) for kind in table) + " |"
        for ending, words in endings.items()
    ]
    told = [f"{number}. {note}" for note, number in notes.items()]
    return "\n".join([*head, *rows, "", *told, ""])


def _cell(cell: Cell, notes: dict[str, int]) -> str:
    match cell:
        case Never(why):
            return f"– {_number(f'Never: {why}.', notes)}"
        case Open(why):
            return f"**open** {_number(f'Open: {why}.', notes)}"
        case _:
            return ", ".join(_number(f"`{test}`", notes) for test in cell)


def _number(note: str, notes: dict[str, int]) -> str:
    return str(notes.setdefault(note, len(notes) + 1))


def proofs(table: Mapping[str, Mapping[str, Cell]] = TABLE) -> Sequence[str]:
    """Every test that a table names."""
    return sorted({test for row in table.values() for cell in row.values() if isinstance(cell, tuple) for test in cell})


def written(text: str) -> str:
    """The README's text with the table as it is now."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}{rendered()}{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    README.write_text(written(README.read_text()))
