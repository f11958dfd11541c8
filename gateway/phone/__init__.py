"""A SIP softphone for scripts and tests: it dials, speaks, presses, listens, and measures what the caller's own packets
hold. `phone.Phone` is the way in; `fixture` offers it to pytest, `offhook call` to the command line.
"""
