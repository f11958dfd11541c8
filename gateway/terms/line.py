"""The RPC by which our SIP service tells how long nothing has come over a caller's line."""

from __future__ import annotations

LINE = "offhook.line"
"""The method; the answer is `{QUIET: seconds, PAUSED: seconds}`."""
QUIET = "quiet"
"""Since anything came; 0 where nothing need come, as on hold, or nothing has come yet."""
PAUSED = "paused"
"""The longest that nothing came before, though more came later: what saves silence pauses as often as whoever speaks."""
