"""What the edge counts."""

from __future__ import annotations

from gateway.metrics import counter, gauge, scores, seconds

CALLS = counter("edge_calls", "Inbound calls that ended, by outcome", "outcome")
CALLS_NOW = gauge("edge_calls_now", "Calls at this moment, both directions")
UNHEARD_NOW = gauge(
    "edge_unheard_now", "Phones at this moment that nobody hears by LiveKit, and that say nothing there"
)
RINGING = seconds("edge_invite_to_ringing", "INVITE to 180")
TAKEOVERS = counter("edge_takeovers", "Calls whose SIP peer was changed for another", "how")
DIALS = counter("edge_dials", "Outbound calls that ended, by outcome", "outcome")
DIALED = seconds("edge_request_to_answered", "CreateSIPParticipant to the callee's 200")
ANSWER = seconds("edge_invite_to_answer", "INVITE to 200")
ROUTED = seconds("edge_invite_to_room", "INVITE to the room's name being told")
JOINED = seconds("edge_room_joined", "The room's name told to our track published")
RTP_RECEIVED = counter("edge_rtp_received_packets", "RTP packets from callers")
RTP_LOST = counter("edge_rtp_lost_packets", "RTP packets from callers that never came")
RTP_JITTER = seconds("edge_rtp_jitter", "Interarrival jitter of a call's RTP (RFC 3550) at its end")
MOS = scores("edge_call_mos", "How well callers and we hear each other, estimated at a call's end (ITU-T G.107)")
