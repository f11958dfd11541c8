"""RTP over UDP: `gateway.rtp` on sockets, and the pacer that sends and hears for every call of a process.

    class Call:                                             # any object with these methods is a MediaHandler
        def on_audio(self, audio: Audio) -> None: ...       # each 20 ms, on the event loop; must not block
        def on_key(self, pressed: KeyPressed) -> None: ...
        def on_timeout(self, timeout: TimedOut) -> None: ...

    async with Media("127.0.0.1", 10000, 20000) as media:   # one a process; 0, 0 lets the system choose ports
        port = media.open(Call())                            # binds now, SetupFault when no port is free
        port.address                                         # ("127.0.0.1", 10000), for the SDP
        port.start(Format(Codec.PCMU), peer, learn_from="")  # from now on: a packet each 20 ms, silence if need be
        port.send(samples)                                   # any length of int16 at 8 kHz
        port.queued                                          # seconds not sent yet
        port.clear()                                         # barge-in: forget what isn't sent yet
        port.press("12#")                                    # keys by RFC 4733, in the audio's place
        await port.sent()                                    # all that was queued, keys included, is on the network
        port.start(other, peer, sends=False)                 # again at any time: re-INVITE, hold
        port.statistics()
        port.close()

All methods belong to the event loop's thread. The callbacks run there too, in the order of what they tell of.
"""
