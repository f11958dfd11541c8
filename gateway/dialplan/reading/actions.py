"""What a route does: one reader for each kind of action."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from yaml.nodes import MappingNode, Node, ScalarNode

from gateway.dialplan.actions import INSTEAD, Action, Agent, Dial, Goto, Menu, Message, Queue, Reject, Split
from gateway.dialplan.model import Ref
from gateway.dialplan.reading import addresses, values
from gateway.dialplan.reading.context import Context
from gateway.dialplan.reading.nodes import Reader, is_empty, within
from gateway.dialplan.reading.spoken import REOPENS, words
from gateway.dialplan.reading.words import near, unknown
from gateway.dialplan.sounds import DEFAULT_MUSIC, names_wav
from gateway.terms.call import Pool

EXTRAS: Mapping[str, Sequence[str]] = {
    "agent": ("greeting", "settings"),
    "team": ("wait",),
    "dial": ("ring",),
}
"""Keys that stand beside the action's own and belong to it."""
_KEY = re.compile(r"^[0-9*#]$")
_MENU = ("say", "speech", "silence", "wait", "tries")
_WAIT = ("music", "announce_every", "at_most", "press")
_MESSAGE = ("say", *INSTEAD, "otherwise", "at_most", "notify")
_SHARE = re.compile(r"^(\d{1,3}(?:\.\d{1,3})?)\s*%$")
_SIP = re.compile(r"^sips?:[^@\s]+@[^@\s]+$")


def action(reader: Reader, kind: str, given: Mapping[str, Node], context: Context) -> Action | None:
    """The action that `kind` names; None, with a finding, when it can't be read."""
    return ACTIONS[kind](reader, given, context)


def _agent(reader: Reader, given: Mapping[str, Node], context: Context) -> Action | None:
    name = reader.text(given["agent"], "agent")
    if name is None:
        return None
    card = context.catalogue.get(name)
    settings: Mapping[str, object] = {}
    if card is None:
        known = ", ".join(sorted(context.catalogue))
        reader.fault(
            given["agent"], f"There is no agent '{name}'.", near(name, context.catalogue) or f"There are: {known}."
        )
    elif "settings" in given and not is_empty(given["settings"]):
        settings = _settings(reader, given["settings"], name, context)
    return Agent(
        name,
        pool=card.pool if card else Pool.AGENTS,
        greeting=words(reader, given["greeting"], "greeting", None) if "greeting" in given else "",
        settings=settings,
        talks=card is None or card.pool is Pool.AGENTS,
    )


def _settings(reader: Reader, node: Node, agent: str, context: Context) -> Mapping[str, object]:
    given = reader.plain(node)
    if not isinstance(given, dict):
        reader.fault(node, "settings must be 'key: value' lines.", "Indent them below it.")
        return {}
    if isinstance(facts := given.get("facts"), str) and facts:
        context.named.add(facts)
    settled, faults = context.catalogue[agent].settle(given, context.directory)
    for fault in faults:
        keys = ".".join(str(step) for step in fault.path if isinstance(step, str))
        where = f"In the settings of '{agent}'{f', {keys}' if keys else ''}"
        reader.fault(within(node, fault.path), f"{where}: {fault.what}")
    return settled


def _menu(reader: Reader, given: Mapping[str, Node], context: Context) -> Action:
    say, keys, wait, tries = "", {}, 8.0, 2
    before = len(reader.findings)
    refs: dict[str, Ref | None] = {"speech": None, "silence": None}
    for key, value in reader.mapping(given["menu"], "menu"):
        if _KEY.match(key.text):
            if ref := reader.ref(value, f"Key {key.text}"):
                keys[key.text] = ref
        elif key.text == "say":
            say = words(reader, value, "say", context)
        elif key.text in refs:
            refs[key.text] = reader.ref(value, key.text)
        elif key.text == "wait":
            wait = values.duration(reader, value, "wait", least=1, most=60, default=wait)
        elif key.text == "tries":
            tries = values.count(reader, value, "tries", least=1, most=10, default=tries)
        elif re.fullmatch(r"[0-9*#]{2,}", key.text):
            reader.fault(key.place, f"'{key.text}' is more than one key.", "Write one key: 0 to 9, * or #.")
        else:
            unknown(reader, key.text, key.place, ("1", *_MENU), "in a menu")
    if len(reader.findings) > before:
        return Menu(say, keys)
    if not say:
        reader.fault(given["menu"], "The menu says nothing.", "Tell callers what to press: say: For sales, press 1.")
    if not keys and refs["speech"] is None:
        reader.fault(given["menu"], "The menu offers nothing.", "Add a key, such as 1: sales, or speech: sales.")
    return Menu(say, keys, refs["speech"], refs["silence"], wait, tries)


def _queue(reader: Reader, given: Mapping[str, Node], context: Context) -> Action | None:
    team = reader.ref(given["team"], "team")
    if team is None:
        return None
    made = Queue(team)
    music, every, most = made.music, made.announce_every, made.at_most
    press: dict[str, Ref] = {}
    for key, value in reader.mapping(given["wait"], "wait") if "wait" in given else ():
        match key.text:
            case "music":
                music = _music(reader, value, context) or music
            case "announce_every":
                every = values.duration(reader, value, "announce_every", least=5, most=600, default=every)
            case "at_most":
                most = values.duration(reader, value, "at_most", least=5, most=7200, default=most)
            case "press":
                press = _keys(reader, value)
            case _:
                unknown(reader, key.text, key.place, _WAIT, "in wait")
    return Queue(team, music, every, most, press)


def _music(reader: Reader, node: Node, context: Context) -> str | None:
    name = reader.text(node, "music")
    if name is None or name == DEFAULT_MUSIC:
        return name
    if not names_wav(name):
        reader.fault(node, f"There is no music '{name}'.", "Write default, or name a WAV file beside the plan.")
        return None
    context.sounds.append((name, reader.place(node)))
    return name


def _keys(reader: Reader, node: Node) -> dict[str, Ref]:
    found = {}
    for key, value in reader.mapping(node, "press"):
        if not _KEY.match(key.text):
            reader.fault(key.place, f"'{key.text}' is no key.", "Write one key: 0 to 9, * or #.")
        elif ref := reader.ref(value, f"Key {key.text}"):
            found[key.text] = ref
    return found


def _dial(reader: Reader, given: Mapping[str, Node], context: Context) -> Action | None:
    ref = reader.ref(given["dial"], "dial")
    if ref is None:
        return None
    ring = values.duration(reader, given["ring"], "ring", least=3, most=300, default=25) if "ring" in given else 25.0
    if not context.dialable(reader, given["dial"], ref.name):
        return Dial(None, "", ring)
    if _SIP.match(ref.name):
        return Dial(None, ref.name, ring)
    if re.match(r"^[+(\d]", ref.name):
        number = context.e164(ref.name)
        if not number:
            reader.fault(given["dial"], f"'{ref.name}' can't be a telephone number.", "Write it as +1 510 555 0100.")
        return Dial(None, number, ring)
    return Dial(ref, "", ring)


def _message(reader: Reader, given: Mapping[str, Node], context: Context) -> Action:
    node = given["message"]
    if isinstance(node, ScalarNode) and not is_empty(node):
        return Message({"otherwise": words(reader, node, "message", context, REOPENS)})
    say: dict[str, str] = {}
    most, team = 120.0, None
    notify: tuple[str, ...] = ()
    for key, value in reader.mapping(node, "message"):
        if key.text in ("say", "otherwise", *INSTEAD):
            say["otherwise" if key.text == "say" else key.text] = words(reader, value, key.text, context, REOPENS)
        elif key.text == "at_most":
            most = values.duration(reader, value, "at_most", least=5, most=1800, default=most)
        elif key.text == "notify":
            notify, team = notified(reader, value)
        else:
            unknown(reader, key.text, key.place, _MESSAGE, "in a message")
    if "otherwise" not in say and isinstance(node, MappingNode):
        reader.fault(
            node, "The message has no words for every case.", "Add otherwise: Please leave a message after the tone."
        )
    return Message(say, most, team, notify)


def notified(reader: Reader, node: Node) -> tuple[tuple[str, ...], Ref | None]:
    """Who is told: addresses, and a team by whose name its own are meant."""
    found: list[str] = []
    team = None
    for text, place in reader.texts(node, "notify"):
        if addresses.is_address(text):
            found.append(text)
        elif addresses.looks_like_one(text):
            reader.fault(place, f"'{text}' is no address to notify.", addresses.remedy(text))
        else:
            team = Ref(text, place)
    return tuple(found), team


def _split(reader: Reader, given: Mapping[str, Node], _: Context) -> Action:
    shares: list[tuple[float, Ref]] = []
    wrong = False
    for key, value in reader.mapping(given["split"], "split", once=False):
        found = _SHARE.match(key.text)
        ref = reader.ref(value, key.text)
        if not found or not 0 < float(found[1]) <= 100:
            reader.fault(key.place, f"'{key.text}' is no share.", "Write per cent: 90%: sales.")
            wrong = True
        elif ref is not None:
            shares.append((float(found[1]), ref))
    total = sum(share for share, _ in shares)
    if wrong:
        return Split(())
    if shares and abs(total - 100) > 0.01:
        reader.fault(given["split"], f"The shares make {total:g}%.", "They must make 100%.")
    elif not shares and isinstance(given["split"], MappingNode):
        reader.fault(given["split"], "The split shares nothing out.", "Write {90%: sales, 10%: trial}.")
    return Split(tuple(shares))


def _reject(reader: Reader, given: Mapping[str, Node], _: Context) -> Action:
    node = given["reject"]
    text = str(node.value) if isinstance(node, ScalarNode) else ""
    if re.fullmatch(r"[4-6]\d\d", text, re.ASCII):
        return Reject(int(text))
    remedy = "Write 404 (not found), 486 (busy) or 603 (declined)."
    reader.fault(node, f"'{text}' is no SIP status to reject with.", remedy)
    return Reject(603)


def _goto(reader: Reader, given: Mapping[str, Node], _: Context) -> Action | None:
    ref = reader.ref(given["route"], "route")
    return None if ref is None else Goto(ref)


ACTIONS: Mapping[str, Callable[[Reader, Mapping[str, Node], Context], Action | None]] = {
    "agent": _agent,
    "menu": _menu,
    "team": _queue,
    "dial": _dial,
    "message": _message,
    "split": _split,
    "reject": _reject,
    "route": _goto,
}
"""The keys that say what a route does, in the order in which they are looked for."""
