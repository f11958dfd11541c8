"""Calls that go out: from CreateSIPParticipant to a participant in a room."""
