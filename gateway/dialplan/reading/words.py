"""The nearest right word for a wrong one; knows what other systems call things. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

from gateway.dialplan.model import Place
from gateway.dialplan.reading.nodes import Reader

OTHERS = {
    "dial": "forward transfer connect bridge call_to redirect callto",
    "route": "goto go_to destination next jump",
    "message": "voicemail vm mailbox leave_message record_message",
    "no_answer": "timeout noanswer not_answered ring_timeout unanswered",
    "mailbox": "voicemail machine answering_machine screening vm amd",
    "hung_up": "whisper_hangup hangup hang_up",
    "undecided": "no_decision nothing",
    "unreachable": "failed error not_reached congestion out_of_service",
    "declined": "rejected refused decline",
    "nobody": "unavailable nobody_available nobody_free no_agents offline",
    "otherwise": "default else other any",
    "unanswered": "no_answer noanswer on_no_answer timeout otherwise_to fallback failover not_answered",
    "full": "busy overflow on_busy capacity max_calls at_capacity",
    "closed": "after_hours out_of_hours outside_hours off_hours closed_to when_closed",
    "hours": "schedule schedules time_condition business_hours opening_hours office_hours open_hours calendar",
    "menu": "ivr auto_attendant attendant gather",
    "team": "queue ring_group group hunt_group agents_group huntgroup",
    "teams": "queues ring_groups groups hunt_groups",
    "people": "extensions users members_list staff persons",
    "reject": "hangup hang_up block deny decline refuse",
    "greeting": "welcome intro first_message prompt begin_message welcome_message",
    "say": "prompt text announcement play tts",
    "human": "operator person escalate representative receptionist",
    "handoff": "warm_transfer hand_off transfer_to qualified",
    "numbers": "dids inbound inbound_routes did phone_numbers inbound_numbers",
    "callers": "blacklist blocklist allowlist whitelist caller_rules cid",
    "from": "caller caller_id cid source ani",
    "to": "dialed called number dnis did destination_number",
    "split": "weights ab_test percentage distribute canary",
    "wait": "timeout hold",
    "tries": "retries attempts max_retries loops repeat",
    "silence": "no_input noinput on_timeout",
    "speech": "voice talk spoken",
    "ring": "timeout strategy ring_time ring_timeout",
    "for": "timeout ring_time ring_timeout duration",
    "members": "agents queue_members people extensions users",
    "timezone": "tz time_zone zone",
    "no_agent": "ai_down fallback agent_down no_ai",
    "dead_air": "silence_timeout no_audio dead_silence",
    "limits": "limit max concurrency quota",
    "calls": "concurrent max_calls concurrency max",
    "minutes": "duration max_duration max_minutes timeout",
    "privacy": "recording gdpr consent compliance",
    "record": "recording",
    "keep": "retention delete_after",
    "notice": "disclaimer disclosure announcement",
    "holidays": "holiday holiday_calendar public_holidays",
    "closed_on": "closures closed_days exceptions",
    "works_on": "open_on working_days",
    "ring_back": "ringback call_back reconnect redial early_drop",
    "wrap_up": "wrapup wrap after_call_work acw wrapup_time",
    "notify": "email mail webhook alert alerts",
    "call": "phone number tel extension mobile",
    "tests": "test checks expectations",
    "expect": "expected route result",
    "language": "lang locale",
    "settings": "config options parameters variables params",
    "seal_digits": "mask_digits pci redact_digits hide_digits",
    "resume": "continue reconnect redial call_again go_on",
    "rotate": "rotation shift schedule roster",
    "open": "hours times when",
    "agent": "assistant bot ai assistant_id agent_id",
    "diverted_from": "diversion forwarded_from redirected_from rdnis",
    "attestation": "stir_shaken verstat shaken stir",
}
"""Our word, and what others call the same."""


def near(text: str, known: Iterable[str]) -> str:
    """A question that suggests a word of `known`, or ""."""
    words = list(known)
    found = difflib.get_close_matches(text, words, n=1) if len(text) < 80 else []
    return f"Did you mean '{found[0]}'?" if found else ""


def near_key(text: str, known: Collection[str]) -> str:
    """The same for a key, where other systems' words count too."""
    wrong = text.casefold().replace("-", "_").replace(" ", "_")
    if wrong in known:
        return f"Did you mean '{wrong}'?"
    meant = next((ours for ours, others in OTHERS.items() if ours in known and wrong in others.split()), "")
    return f"Here it is called '{meant}'." if meant else near(wrong, known)


def unknown(reader: Reader, key: str, place: Place, known: Collection[str], where: str = "here") -> None:
    """Note a key that the language doesn't have."""
    told = near_key(key, known) or f"Known are: {', '.join(known)}."
    reader.fault(place, f"There is no '{key}' {where}.", told)
