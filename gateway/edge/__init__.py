"""The embedded SIP service takes calls from SIP trunks into LiveKit rooms, a drop-in for livekit-sip. See README.md."""
