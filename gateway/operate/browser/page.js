// The page by which a member takes a call in the browser. What proves the link stands behind its `#`; it is posted, never
// written into an address. Nothing is played, and the microphone isn't asked for, until the call is taken.
"use strict";

const LOOK_EVERY = 2000; // ms between two looks at how the call stands
const LOOK_SOON = 400; // the same, once something was asked for
const COMES_WITHIN = 8000; // ms in which what was asked for comes about; then it may be asked for again
const SURE_WITHIN = 6000; // ms in which what can't be taken back is to be pressed once more
const JOINS_WITHIN = 15000; // ms in which whoever took the call must hear the caller
const proof = location.hash.slice(1);
const tab = Array.from(crypto.getRandomValues(new Uint8Array(16)), (one) => one.toString(16).padStart(2, "0")).join("");
const page = {
  state: "loading",
  room: null,
  waits: 0, // since when the caller has waited
  since: 0, // since when the two talk
  ready: true,
  asked: null, // what was asked for, until it has come about
  muted: false,
  held: false, // the caller is on hold
  sounds: new Map(), // by track, the element that plays it
  sure: false, // what can't be taken back was pressed once
  known: false, // how the talk stands was told
  now: { third: "nobody", whom: "", offers: {}, dialed: 0, hold: false, entry: "" },
};
const AGAIN = "That didn't work. Please try again.";

class Refused extends Error {}

async function ask(what, more = {}) {
  const answer = await fetch(`${location.pathname}/${what}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ proof, ...more }),
    cache: "no-store",
    credentials: "omit",
    signal: AbortSignal.timeout(10000),
  });
  if (answer.status === 403 || answer.status === 429) throw new Refused();
  if (!answer.ok && answer.status !== 409) throw new Error(`HTTP ${answer.status}`);
  return { ...(await answer.json()), ok: answer.ok };
}

function show(state, words, kicker) {
  page.state = state;
  document.body.dataset.state = state;
  at("status").textContent = words;
  if (kicker) at("kicker").textContent = kicker;
  const asks = state === "waits" || state === "joining";
  at("asking").hidden = !asks;
  at("talking").hidden = at("clock").hidden = state !== "talking";
  at("waited").hidden = !asks || !page.waits;
  at("take").disabled = state !== "waits" || !page.ready;
  at("decline").disabled = state !== "waits";
}

function over(words) {
  clearInterval(page.timer);
  clearInterval(page.ticks);
  show("over", words, "The call");
}

function told(answer) {
  const who = answer.by || "Somebody else";
  switch (answer.standing) {
    case "waits":
      if (page.state !== "joining") show("waits", page.why || "");
      return true;
    case "yours":
      over("You have this call in another window.");
      break;
    case "taken":
      over(`${who} took the call.`);
      break;
    case "left":
      over(answer.by ? `${who} took the call. It is over.` : "The caller has hung up.");
      break;
    case "used":
      over("This link was used in another window.");
      break;
    default:
      over("This call isn't waiting for you any more.");
  }
  return false;
}

function time(since) {
  const seconds = Math.max(Math.floor((Date.now() - since) / 1000), 0);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function waited() {
  at("waited").textContent = `waiting ${time(page.waits)}`;
}

async function begin() {
  if (!proof) return show("wrong", "This link isn't whole. Open it once more from the message.");
  try {
    const found = await ask("look");
    if (found.lead) lead(found.lead);
    else at("who").textContent = "A caller";
    if (!window.isSecureContext) unable("Browsers let only https pages use the microphone. Answer your phone instead.");
    else if (!found.ready || !window.LivekitClient) unable("Calls can't be taken in the browser here yet. Answer your phone instead.");
    page.waits = Date.now() - found.waited * 1000;
    if (told(found)) {
      page.timer = setInterval(look, LOOK_EVERY);
      page.ticks = setInterval(waited, 1000);
      waited();
    }
  } catch (bad) {
    at("who").textContent = "A call";
    show("wrong", bad instanceof Refused ? "This link is wrong, or too old." : "This page can't be loaded now. Please try again.");
  }
}

function unable(why) {
  page.ready = false;
  page.why = why;
}

async function look() {
  if (page.state !== "waits") return;
  try {
    const found = await ask("stands");
    if (page.state === "waits") told(found);
  } catch (bad) {
    if (bad instanceof Refused) over("This link is too old.");
  }
}

async function decline() {
  show("joining", "");
  try {
    const found = await ask("decline");
    if (found.standing === "over") over("Thank you. The next of the team is asked.");
    else told(found);
  } catch {
    show("waits", AGAIN);
  }
}

async function take() {
  show("joining", "Asking for your microphone …");
  let microphone;
  try {
    microphone = await LivekitClient.createLocalAudioTrack({ echoCancellation: true, noiseSuppression: true, autoGainControl: true });
  } catch {
    return show("waits", "The microphone can't be used. Allow it for this page, then try again.");
  }
  let ticket;
  try {
    show("joining", "Connecting …");
    ticket = await ask("take", { tab });
  } catch {
    microphone.stop();
    return show("waits", AGAIN);
  }
  if (!ticket.token) {
    microphone.stop();
    return told(ticket);
  }
  try {
    page.talk = ticket.talk;
    await join(ticket, microphone);
  } catch {
    microphone.stop();
    await leave();
    show("waits", "The call couldn't be reached. Please try again.");
  }
}

async function join(ticket, microphone) {
  const { Room, RoomEvent, Track } = LivekitClient;
  const room = (page.room = new Room({ disconnectOnPageLeave: true, stopLocalTrackOnUnpublish: true }));
  const { sounds } = page;
  const waits = setTimeout(() => leave().then(lost), JOINS_WITHIN);
  room.on(RoomEvent.TrackSubscribed, (track) => {
    if (track.kind !== Track.Kind.Audio) return;
    clearTimeout(waits);
    sounds.get(track)?.remove();
    sounds.set(track, track.attach());
    sounds.get(track).muted = page.held;
    document.body.append(sounds.get(track));
    talks();
  });
  room.on(RoomEvent.TrackUnsubscribed, (track) => {
    track.detach();
    sounds.get(track)?.remove(); // livekit-client has detached it before, and doesn't tell from what
    sounds.delete(track);
  });
  room.on(RoomEvent.Reconnecting, () => show(page.state, "The connection is lost. Trying again …"));
  room.on(RoomEvent.Reconnected, () => show(page.state, page.since ? "The connection is back." : ""));
  room.on(RoomEvent.Disconnected, () => {
    clearTimeout(waits);
    microphone.stop();
    if (page.room !== room) return; // we have left
    page.room = null;
    ended();
  });
  // Whom we hear is the gateway's to say, once it has given us the call.
  await room.connect(ticket.url, ticket.token, { autoSubscribe: false, maxRetries: 1 });
  await room.localParticipant.publishTrack(microphone, { source: Track.Source.Microphone, dtx: false, red: false });
}

function talks() {
  if (page.since) return; // a third is heard, or the caller again
  page.since = Date.now();
  clearInterval(page.timer);
  clearInterval(page.ticks);
  page.timer = setInterval(clock, 1000);
  const was = document.activeElement;
  show("talking", "You are with the caller.", "On the call");
  if (was === document.body || at("asking").contains(was)) at("mute").focus();
  clock();
  followTalk();
}

function clock() {
  at("clock").textContent = time(page.since);
}

// How it stands is the gateway's to say: it is looked for until that was told once, and as long as there is a third to be asked.
async function followTalk() {
  if (page.state !== "talking") return;
  try {
    const found = await ask("talk", { proof: page.talk });
    if (page.state !== "talking") return;
    if (found.standing === "yours") stands(found);
  } catch (bad) {
    if (bad instanceof Refused) return;
  }
  if (page.asked || !page.known || thirdThere() || page.held || page.now.hold) followSoon();
}

function followSoon() {
  clearTimeout(page.looking);
  page.looking = setTimeout(followTalk, page.asked || !page.known ? LOOK_SOON : LOOK_EVERY);
}

function thirdThere() {
  return page.now.third !== "nobody" || Object.keys(page.now.offers).length > 0;
}

function stands(found) {
  const was = page.now;
  const unseen = page.known && was.third === "nobody" && found.dialed > was.dialed; // who refuses at once is gone by the next look
  const before = unseen ? "rung unseen" : was.third;
  page.now = found;
  page.known = true;
  const late = page.asked && Date.now() > page.asked.until;
  const noted = found.entry !== was.entry && found.entry !== "asked";
  if (found.third !== before) at("status").textContent = happened(before);
  else if (noted && found.entry === "entered") at("status").textContent = "It is noted: they are never called again.";
  else if (noted || late) at("status").textContent = AGAIN;
  if (found.third !== before || noted || late) page.asked = null;
  if (page.held !== found.hold) tellHold(); // the job has died over it, or hasn't looked yet
  offer();
}

function whom() {
  return page.now.whom || "your colleague";
}

// What has become of the call, in words. `was`: how it stood with a third before.
function happened(was) {
  switch (page.now.third) {
    case "rung aside":
      return `Calling ${whom()} … The caller hears music.`;
    case "rung in":
      return `Calling ${whom()} … You go on with the caller.`;
    case "aside":
      return `You and ${whom()} talk alone. The caller hears music.`;
    case "three":
      return "All three of you talk.";
  }
  const ours = page.asked && page.asked.to === "nobody";
  if (was !== "left") page.why = ours ? "" : `${whom()} ${was.startsWith("rung") ? "can't be reached" : "has left"}. `;
  return page.why + (page.now.third === "left" ? "One moment …" : "You are with the caller.");
}

// What a button does, by how it stands and what would come of it.
const WORDS = {
  "nobody>rung aside": (who) => [`Ask ${who} alone`, `${who} is called; the caller hears music.`],
  "nobody>rung in": (who) => [`Bring ${who} in`, `${who} is called, and joins you both.`],
  "rung aside>nobody": (who) => [`Stop calling ${who}`, "You go on with the caller."],
  "rung aside>rung in": (who) => [`Bring ${who} in`, `You go on with the caller, and ${who} joins you both.`],
  "rung in>nobody": (who) => [`Stop calling ${who}`, "You go on with the caller."],
  "rung in>rung aside": (who) => [`Ask ${who} alone first`, "The caller hears music."],
  "aside>nobody": (who) => ["Back to the caller", `${who} is let go.`],
  "aside>three": (who) => [`Bring ${who} in`, "All three of you talk."],
  "three>nobody": (who) => [`Let ${who} go`, "You go on with the caller."],
  "three>aside": (who) => [`Talk with ${who} alone`, "The caller hears music."],
};

// What the button says that has the caller never called again, by how far that is.
const NEVER = {
  "": ["Never call them again", "Where they have asked for it."],
  sure: ["Yes, never call again", "You both hear that it is noted."],
  asked: ["Never call them again", "One moment …"],
  entered: ["Never called again", "Their number is on the list."],
  failed: ["Never call them again", "It couldn't be noted yet."],
};

function offer() {
  const { third, offers, entry } = page.now;
  offerNever(entry);
  at("back").setAttribute("aria-disabled", String(page.asked !== null));
  for (const button of [at("aside"), at("third")]) {
    const to = offers[button.dataset.asks];
    button.setAttribute("aria-disabled", String(page.asked !== null || page.held || !to));
    if (third === "left") continue; // who is leaving is out in a moment
    const [name, does] = to ? WORDS[`${third}>${to}`](whom()) : [`Ask ${whom()} alone`, "That can be done once in a call."];
    button.hidden = !thirdThere();
    button.dataset.to = to || "";
    button.firstElementChild.textContent = name;
    button.lastElementChild.textContent = does;
  }
  at("hold").setAttribute("aria-disabled", String(third !== "nobody" && third !== "rung in"));
  at("leave").textContent = passesOn() ? `Leave them to ${whom()}` : "Hang up";
}

function offerNever(entry) {
  const button = at("never");
  const closed = page.asked !== null || entry === "asked" || entry === "entered";
  if (closed) page.sure = false;
  const [name, does] = NEVER[page.sure ? "sure" : entry];
  button.classList.toggle("sure", page.sure);
  button.setAttribute("aria-disabled", String(closed));
  button.firstElementChild.textContent = name;
  button.lastElementChild.textContent = does;
}

// A slip of the finger has nobody never called again, and isn't announced to both: it is pressed twice.
function sure(button) {
  clearTimeout(page.unsure);
  if (button !== at("never") || page.sure) return true;
  const [before, asks] = [at("status").textContent, "Press once more, if they have asked never to be called again."];
  page.sure = true;
  page.unsure = setTimeout(() => {
    page.sure = false;
    if (at("status").textContent === asks) at("status").textContent = before;
    offer();
  }, SURE_WITHIN);
  at("status").textContent = asks;
  offer();
  return false;
}

function passesOn() {
  return page.now.third === "aside" || page.now.third === "three";
}

async function want(button) {
  if (button.getAttribute("aria-disabled") === "true" || !sure(button)) return;
  const { asks, to } = button.dataset;
  page.asked = { asks, to, until: Date.now() + COMES_WITHIN };
  at("status").textContent = "One moment …";
  offer();
  try {
    const found = await ask("talk", { proof: page.talk, ask: asks, to });
    if (found.ok) return followSoon();
    page.asked = null;
    at("status").textContent = AGAIN;
    if (found.standing === "yours") stands(found);
    else offer();
  } catch {
    page.asked = null;
    at("status").textContent = AGAIN;
    offer();
  }
}

// Whom we hear and who hears us: on hold nobody does, and the gateway plays the caller music.
function quiet() {
  for (const sound of page.sounds.values()) sound.muted = page.held;
  page.room?.localParticipant.setMicrophoneEnabled(!page.muted && !page.held);
  at("mute").setAttribute("aria-pressed", String(page.muted));
  at("mute").textContent = page.muted ? "Unmute" : "Mute";
  at("hold").setAttribute("aria-pressed", String(page.held));
  at("hold").textContent = page.held ? "Resume" : "Hold";
}

async function hold() {
  if (at("hold").getAttribute("aria-disabled") === "true") return;
  page.held = !page.held;
  at("status").textContent = page.held ? "On hold. The caller hears music, and not you." : "You are with the caller.";
  quiet();
  offer();
  await tellHold();
  followSoon();
}

// What isn't told now is told with the next look.
async function tellHold() {
  try {
    await ask("talk", { proof: page.talk, ask: "hold", on: page.held });
  } catch {
    // followTalk goes on until it stands so
  }
}

async function leave() {
  const room = page.room;
  page.room = null;
  if (room) await room.disconnect();
}

function ended() {
  if (page.asked && page.asked.asks === "back") over("The caller is back with the agent.");
  else if (page.since) over("The call has ended.");
  else if (page.state === "joining") lost();
}

// Somebody else was faster, or the caller has gone: say which.
async function lost() {
  try {
    const found = await ask("stands");
    if (found.standing === "waits" || found.standing === "yours") over("The call couldn't be reached.");
    else told(found);
  } catch {
    over("The call couldn't be reached.");
  }
}

at("take").addEventListener("click", take);
at("decline").addEventListener("click", decline);
at("leave").addEventListener("click", async () => {
  const words = passesOn() ? `You have left the caller to ${whom()}.` : "You have hung up.";
  await leave();
  over(words);
});
for (const one of document.querySelectorAll("[data-asks]")) one.addEventListener("click", () => want(one));
at("mute").addEventListener("click", () => {
  page.muted = !page.muted;
  quiet();
});
at("hold").addEventListener("click", hold);
addEventListener("pagehide", leave);
begin();
