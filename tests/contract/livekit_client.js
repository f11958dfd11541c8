// In livekit-client's place, where no LiveKit is: whoever joins is let hear at once. `calls.ends()` ends the call.
"use strict";
const calls = {};
window.LivekitClient = {
  RoomEvent: Object.fromEntries(["TrackSubscribed", "TrackUnsubscribed", "Reconnecting", "Reconnected", "Disconnected"].map((name) => [name, name])),
  Track: { Kind: { Audio: "audio" }, Source: { Microphone: "microphone" } },
  createLocalAudioTrack: async () => {
    if (calls.deaf) throw new Error("no microphone");
    return { stop() {} };
  },
  Room: class {
    constructor() {
      this.told = {};
      this.localParticipant = {
        publishTrack: async () => {
          const sound = { kind: "audio", attach: () => document.createElement("audio"), detach() {} };
          setTimeout(() => this.told.TrackSubscribed(sound), 50);
        },
        setMicrophoneEnabled: async (on) => (calls.open = on),
      };
      calls.ends = () => this.told.Disconnected();
    }
    on(event, what) {
      this.told[event] = what;
    }
    async connect() {}
    async disconnect() {}
  },
};
