"""Which tests prove what comes of a caller who is given to a human: every phase × every way out of it.

`python -m tests.e2e.handoff_endings` writes the table into README.md, below the one of stops.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.e2e.endings import README, Cell, Never, of, rendered

BEGIN, END = "<!-- handoffs -->\n", "<!-- /handoffs -->\n"

ENDINGS: Mapping[str, str] = {
    "taken": "they take it",
    "browser": "they take it in their browser",
    "declined": "they decline by key or word",
    "link": "they decline by the card's link",
    "refused": "their phone declines",
    "busy": "busy",
    "no answer": "no answer",
    "unreachable": "not to be reached",
    "machine": "a mailbox, or a screening",
    "hung up": "they hang up",
    "nothing": "they say nothing",
    "cut off": "their line is lost",
    "holds": "they put the caller on hold",
    "beaten": "another takes it",
    "caller": "the caller hangs up",
    "caller cut off": "the caller's line is lost",
    "closed": "the team is closed",
    "nobody": "nobody is free",
    "killed": "the job dies",
    "control": "control dies",
}
"""Ways out, as the table's columns and in words."""

_RINGS = Never("the phone rings only then")
_ANSWERED = Never("they have answered")
_UNANSWERED = Never("they haven't answered")
_BEFORE = Never("it is looked for before anybody is rung")
_TALK = Never("they have the caller already")
_KILLED = of("test_handoff_kills", "a_job_that_dies_amid_it_leaves_it_to_another")
_KILLED_SOON = of("test_handoff_kills", "a_job_that_dies_before_anybody_is_rung_leaves_it_to_another")
_CONTROL = of("test_handoff_kills", "nobody_notices_that_control_dies_amid_it")
_LINK = of("house/test_cards", "whoever_is_rung_has_a_card_and_its_link_declines")
_BROWSER = of("house/test_browsers", "a_browser_that_takes_it_silences_the_phones_and_one_that_dies_has_hung_up")
_NOBODY_RUNG = dict.fromkeys(
    (
        "taken",
        "browser",
        "declined",
        "link",
        "refused",
        "busy",
        "no answer",
        "unreachable",
        "machine",
        "hung up",
        "nothing",
        "cut off",
        "holds",
        "beaten",
    ),
    Never("nobody is rung yet"),
)
_TAKEN = of("test_handoff", "a_human_takes_the_caller_once_they_have_heard_whose_call_it_is")
_GONE = of("test_handoff", "a_human_who_had_answered_is_told_that_the_caller_has_gone")
_CALLER = of("test_handoff_phases", "a_caller_who_leaves_is_nobodys_any_more")
_LEFT = of("test_handoff_phases", "who_leaves_before_they_take_it_hasnt_taken_it")
_BEATEN = of("test_handoff_phases", "whoever_is_behind_falls_silent_once_another_takes_it")
_WHISPER: Mapping[str, Cell] = {
    "browser": _BROWSER,
    "refused": _RINGS,
    "busy": _RINGS,
    "no answer": _ANSWERED,
    "unreachable": _RINGS,
    "link": _LINK,
    "closed": _BEFORE,
    "nobody": _BEFORE,
    **dict.fromkeys(("hung up", "cut off"), _LEFT),
    "holds": Never("they don't talk with the caller yet, who hears music"),
    **dict.fromkeys(("caller", "caller cut off"), _CALLER),
    "killed": _KILLED,
    "control": _CONTROL,
}

PROMISED = "promised"
_AMID = of("test_handoff_phases", "who_has_heard_enough_takes_the_call_amid_the_whisper")
_LONGER = Never("that takes longer than the words do")
_REFUSES = of("test_handoff", "a_phone_that_refuses_is_told_apart_by_its_status")

TABLE: Mapping[str, Mapping[str, Cell]] = {
    PROMISED: {
        "taken": _AMID,
        "browser": of("house/test_browsers", "the_two_talk_on_when_the_job_dies"),
        "declined": of("test_handoff_phases", "who_has_heard_enough_declines_amid_the_whisper"),
        "link": _LINK,
        **dict.fromkeys(("refused", "busy", "unreachable"), _REFUSES),
        **dict.fromkeys(("no answer", "machine", "nothing"), _LONGER),
        **dict.fromkeys(("hung up", "cut off"), _LEFT),
        "holds": Never("they don't talk with the caller yet"),
        "beaten": _BEATEN,
        **dict.fromkeys(("caller", "caller cut off"), _CALLER),
        "closed": _BEFORE,
        "nobody": _BEFORE,
        "killed": _KILLED,
        "control": _CONTROL,
    },
    "offering": {
        **_NOBODY_RUNG,
        **dict.fromkeys(
            ("caller", "caller cut off"),
            of("test_handoff_phases", "a_caller_who_leaves_before_anybody_is_rung_has_nobody_rung"),
        ),
        "closed": of("test_handoff", "where_nobody_can_be_had_the_caller_is_told_before_anybody_is_promised"),
        "nobody": of("test_handoff", "where_nobody_can_be_had_the_caller_is_told_before_anybody_is_promised"),
        "killed": _KILLED_SOON,
        "control": _CONTROL,
    },
    "ringing": {
        "taken": _UNANSWERED,
        "browser": _BROWSER,
        "declined": _UNANSWERED,
        "link": _LINK,
        **dict.fromkeys(("refused", "busy", "unreachable"), _REFUSES),
        "no answer": of("test_handoff", "who_doesnt_answer_leaves_the_caller_to_the_agent_in_time"),
        "machine": _UNANSWERED,
        "hung up": _UNANSWERED,
        "nothing": Never("that is no answer"),
        "cut off": _UNANSWERED,
        "holds": _UNANSWERED,
        "beaten": _BEATEN,
        **dict.fromkeys(("caller", "caller cut off"), _CALLER),
        "closed": _BEFORE,
        "nobody": _BEFORE,
        "killed": _KILLED,
        "control": _CONTROL,
    },
    "whispering": {
        **_WHISPER,
        "taken": _AMID,
        "declined": of("test_handoff_phases", "who_has_heard_enough_declines_amid_the_whisper"),
        "machine": of("test_handoff", "a_mailbox_never_gets_the_caller"),
        "nothing": Never("that is heard to its end"),
        "beaten": _BEATEN,
    },
    "deciding": {
        **_WHISPER,
        "taken": _TAKEN + of("test_handoff", "the_next_of_the_team_is_rung_and_takes_it_by_word"),
        "declined": of("test_handoff", "who_declines_leaves_the_caller_to_the_agent_and_they_leave_a_message"),
        "machine": of("test_handoff", "a_mailbox_never_gets_the_caller"),
        "nothing": of("test_handoff", "who_never_says_anything_doesnt_get_the_caller"),
        "beaten": of("test_handoff", "of_two_who_have_answered_the_first_to_take_it_gets_the_caller"),
    },
    "bridged": {
        **dict.fromkeys(ENDINGS, _TALK),
        "hung up": _TAKEN
        + of("test_handoff", "who_says_goodbye_and_hangs_up_is_left_in_peace")
        + of("test_handoff", "who_hangs_up_without_a_goodbye_is_rung_back_and_the_two_talk_on"),
        "cut off": of("test_handoff", "who_is_cut_off_is_rung_back_and_the_two_talk_on")
        + of("test_handoff_kills", "who_is_cut_off_while_no_job_is_there_is_rung_back_by_the_next"),
        "holds": of("test_hold", "a_phone_that_holds_is_waited_for_and_the_caller_hears_music"),
        "caller cut off": of("test_hold", "a_caller_whose_line_is_lost_is_called_back"),
        "caller": of("test_handoff", "of_two_who_have_answered_the_first_to_take_it_gets_the_caller"),
        "killed": _KILLED
        + of("test_hold_kills", "a_job_that_dies_amid_a_hold_leaves_it_to_another")
        + of("test_hold_kills", "a_hold_that_ends_while_no_job_is_there_has_ended"),
        "control": _CONTROL + of("test_hold_kills", "a_control_that_dies_amid_a_hold_isnt_noticed"),
    },
    "parting": {
        **dict.fromkeys(ENDINGS, Never("the caller has gone")),
        "hung up": _GONE,
        "cut off": of("test_handoff_phases", "a_human_whose_line_is_lost_as_they_are_told_is_missed_by_nobody"),
        "killed": of("test_handoff_kills", "a_human_isnt_left_alone_where_the_job_dies_as_the_caller_hangs_up"),
        "control": _CONTROL,
    },
}
"""By the phase in which the handoff is; PROMISED: in any before the talk, while the caller still hears that they are put through."""


def written(text: str) -> str:
    """The README's text with the table as it is now."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}{rendered(TABLE, ENDINGS)}{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    README.write_text(written(README.read_text()))
