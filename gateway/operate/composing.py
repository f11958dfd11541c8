"""What deliveries say whose content is made from the records when they are sent, by kind. Pure but for the links' key.

A new such kind: a function here, its rows in `gateway.records.outbox.Outbox.about`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo

from gateway.handoff.card import linked, takes
from gateway.operate.handoff_page import decline_link
from gateway.operate.lead_words import lead_told
from gateway.operate.links import LEAD_LASTS, Links, lead_path
from gateway.operate.take_page import take_link
from gateway.operate.telling import told
from gateway.records.groups import Row
from gateway.records.outbox import Due
from gateway.terms.delivery import Content, Why, identity

Composer = Callable[[Due, Row, Links, tzinfo], Content]
"""Of a delivery, its rows, the links and the plan's time zone: what is said. Links hold from when the delivery was
made: every try says the same."""


def _message(due: Due, row: Row, links: Links, zone: tzinfo) -> Content:
    return told(due, row, links.to(due.subject, due.made), zone)


def _lead(due: Due, row: Row, links: Links, zone: tzinfo) -> Content:
    link = links.page(lead_path(due.call), due.made, LEAD_LASTS)
    return lead_told(row, link, zone, changed=due.kind == Why.LEAD_CHANGED)


COMPOSERS: Mapping[str, Composer] = {
    Why.MESSAGE: _message,
    Why.TRANSCRIPT: _message,
    Why.LEAD: _lead,
    Why.LEAD_CHANGED: _lead,
}


def finished(due: Due, content: Content, links: Links) -> Content:
    """Content that came with the delivery, with the links that only control can make. Every try says the same."""
    if due.kind == Why.CARD:
        link = take_link if takes(content) else decline_link
        return linked(content, link(links, due.call, due.subject, due.made))
    return content


def told_too(due: Due, row: Row) -> list[str]:
    """Ids of deliveries that this one tells as well: a message with its words leaves nothing for the words' own."""
    if due.kind == Why.MESSAGE and row.get("transcript"):
        return [identity(due.call, due.subject, due.address, Why.TRANSCRIPT)]
    return []
