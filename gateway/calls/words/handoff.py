"""What those hear, word for word, who are rung for a caller, and what both hear as they are connected, by language. Pure; see
`gateway.calls.words`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class HandoffWord(StrEnum):
    """The words of `gateway.handoff.machine` and `gateway.handoff.whisper`."""

    CHOOSE = "handoff_choose"
    """To whoever has answered; they may say so too."""
    CHOOSE_BRIEFLY = "handoff_choose_briefly"
    """The same, where much is known of the caller."""
    PUT_THROUGH = "handoff_put_through"
    """To the caller, as the team's phones begin to ring."""
    STILL_RINGING = "handoff_still_ringing"
    """To the caller, between music."""
    CUT_OFF = "handoff_cut_off"
    """To the caller, whose human was cut off and is rung back."""
    WAS_CUT_OFF = "handoff_was_cut_off"
    """To that human."""
    CALLER_LEFT = "handoff_caller_left"
    """To whoever had answered."""
    CALLER_CUT_OFF = "handoff_caller_cut_off"
    """To whoever talked with a caller who was cut off and is called back."""
    CALLER_LOST = "handoff_caller_lost"
    """The same of one who can't be called."""
    CALL_DROPPED = "handoff_call_dropped"
    """Why that caller is called back, for whoever does."""
    NO_ASIDE = "handoff_no_aside"
    """To whoever talks with the caller and wants to ask a third in private, which can't be done again."""
    MAILBOX = "handoff_mailbox"
    """To whoever talks with the caller, once the third whom they have asked turns out to be one."""
    INTRODUCE = "handoff_introduce"
    """To both."""
    INTRODUCE_NOBODY = "handoff_introduce_nobody"
    """Where the caller's name isn't known."""
    INTRODUCE_COLLEAGUE = "handoff_introduce_colleague"
    """Where the human's name can't be said."""
    INTRODUCE_THEM = "handoff_introduce_them"
    """Where neither is known."""
    FROM_COMPANY = "handoff_from_company"
    """The whisper's first sentence, by what is known."""
    FROM = "handoff_from"
    OF_COMPANY = "handoff_of_company"
    FROM_NOBODY = "handoff_from_nobody"
    NEED = "handoff_need"
    PROBLEM = "handoff_problem"
    BUDGET = "handoff_budget"
    REASON = "handoff_reason"


_ENGLISH = {
    HandoffWord.CHOOSE: "Press 1 to take it, 2 to decline, 3 to repeat.",
    HandoffWord.CHOOSE_BRIEFLY: "Press 1 to take it, 2 to decline.",
    HandoffWord.PUT_THROUGH: "I'll put you through to a colleague. You'll hear music until somebody is on the line.",
    HandoffWord.STILL_RINGING: "I'm still looking for somebody. Please stay on the line.",
    HandoffWord.CUT_OFF: "We were cut off. I'm calling back. Please stay on the line.",
    HandoffWord.WAS_CUT_OFF: "Your call was cut off, and the caller is still there.",
    HandoffWord.CALLER_LEFT: "The caller has just hung up. Goodbye.",
    HandoffWord.CALLER_CUT_OFF: "The caller was cut off. Your phones will ring soon, to call them back.",
    HandoffWord.CALLER_LOST: "The caller was cut off, and can't be called back now. Goodbye.",
    HandoffWord.CALL_DROPPED: "they were cut off while they talked with us",
    HandoffWord.NO_ASIDE: "You can ask somebody in private once a call here. Press star 3 to bring them in.",
    HandoffWord.MAILBOX: "A mailbox answered. It isn't on the line any more.",
    HandoffWord.INTRODUCE: "{caller}, I have {human} for you.",
    HandoffWord.INTRODUCE_NOBODY: "I have {human} for you.",
    HandoffWord.INTRODUCE_COLLEAGUE: "{caller}, I have a colleague for you.",
    HandoffWord.INTRODUCE_THEM: "I have a colleague for you.",
    HandoffWord.FROM_COMPANY: "Call from {name} of {company}.",
    HandoffWord.FROM: "Call from {name}.",
    HandoffWord.OF_COMPANY: "Call from {company}.",
    HandoffWord.FROM_NOBODY: "Here is a caller for you.",
    HandoffWord.NEED: "Needs {need}.",
    HandoffWord.PROBLEM: "Problem: {problem}.",
    HandoffWord.BUDGET: "Budget {budget}.",
    HandoffWord.REASON: "Calls because: {reason}.",
}
WORDS_HANDOFF: Mapping[str, Mapping[HandoffWord, str]] = {"en": _ENGLISH}
"""By the language's first subtag (BCP 47), in lower case."""
