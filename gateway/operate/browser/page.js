// The page by which a member takes a call in the browser. What proves the link stands behind its `#`; it is posted, never
// written into an address. Nothing is played, and the microphone isn't asked for, until the call is taken.
"use strict";

const LOOK_EVERY = 2000; // ms between two looks at how the call stands, while it waits
const JOINS_WITHIN = 15000; // ms in which whoever took the call must hear the caller
const proof = location.hash.slice(1);
const tab = Array.from(crypto.getRandomValues(new Uint8Array(16)), (one) => one.toString(16).padStart(2, "0")).join("");
const at = (id) => document.getElementById(id);
const page = { state: "loading", room: null, since: 0, ready: true, timer: 0 };

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
  return answer.json();
}

function show(state, words, kicker) {
  page.state = state;
  document.body.dataset.state = state;
  at("status").textContent = words;
  if (kicker) at("kicker").textContent = kicker;
  const asks = state === "waits" || state === "joining";
  at("asking").hidden = !asks;
  at("talking").hidden = state !== "talking";
  at("take").disabled = state !== "waits" || !page.ready;
  at("decline").disabled = state !== "waits";
}

function over(words) {
  clearInterval(page.timer);
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

function fact(label, value, below) {
  if (!value) return;
  const row = document.createElement("div");
  const name = document.createElement("dt");
  const text = document.createElement("dd");
  name.textContent = label;
  text.textContent = value;
  if (below) {
    const spelled = document.createElement("span");
    spelled.className = "spelled";
    spelled.textContent = below;
    text.append(spelled);
  }
  row.append(name, text);
  at("facts").append(row);
}

function lead(card) {
  const name = card.name || "Somebody";
  at("who").textContent = card.company ? `${name} of ${card.company}` : name;
  at("number").textContent = card.number || "Number withheld";
  at("number").hidden = false;
  document.title = `Call: ${name}`;
  const letters = [...(card.company || "")].filter((one) => /[\p{L}\p{N}]/u.test(one)).slice(0, 30);
  fact("Company", card.company, letters.join("-").toUpperCase());
  fact("Need", card.need);
  fact("Budget", card.budget);
  fact("When", card.timeline);
  fact("Why now", card.reason);
  fact("Promised", card.promises);
  for (const words of card.said || []) {
    const line = document.createElement("li");
    line.textContent = `“${words}”`;
    at("said").append(line);
  }
  at("quotes").hidden = !(card.said || []).length;
}

async function begin() {
  if (!proof) return show("wrong", "This link isn't whole. Open it once more from the message.");
  try {
    const found = await ask("look");
    if (found.lead) lead(found.lead);
    else at("who").textContent = "A caller";
    if (!window.isSecureContext) unable("Browsers let only https pages use the microphone. Answer your phone instead.");
    else if (!found.ready || !window.LivekitClient) unable("Calls can't be taken in the browser here yet. Answer your phone instead.");
    if (told(found)) page.timer = setInterval(look, LOOK_EVERY);
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
    show("waits", "That didn't work. Please try again.");
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
    return show("waits", "That didn't work. Please try again.");
  }
  if (!ticket.token) {
    microphone.stop();
    return told(ticket);
  }
  try {
    page.back = ticket.back;
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
  const waits = setTimeout(() => leave().then(lost), JOINS_WITHIN);
  room.on(RoomEvent.TrackSubscribed, (track) => {
    if (track.kind !== Track.Kind.Audio) return;
    clearTimeout(waits);
    document.body.append(track.attach());
    talks();
  });
  room.on(RoomEvent.TrackUnsubscribed, (track) => track.detach().forEach((one) => one.remove()));
  room.on(RoomEvent.Reconnecting, () => show("talking", "The connection is lost. Trying again …"));
  room.on(RoomEvent.Reconnected, () => page.since && talks());
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
  page.since = page.since || Date.now();
  clearInterval(page.timer);
  page.timer = setInterval(clock, 1000);
  show("talking", "", "On the call");
  clock();
}

function clock() {
  if (page.state !== "talking") return;
  const seconds = Math.floor((Date.now() - page.since) / 1000);
  at("status").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

async function leave() {
  const room = page.room;
  page.room = null;
  if (room) await room.disconnect();
}

function ended() {
  if (page.gives) over("The caller is back with the agent.");
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
  await leave();
  over("You have hung up.");
});
at("back").addEventListener("click", async () => {
  at("back").disabled = page.gives = true;
  try {
    if ((await ask("back", { proof: page.back })).standing !== "yours") throw new Error("not ours");
  } catch {
    at("back").disabled = page.gives = false;
    at("status").textContent = "That didn't work. Please try again.";
  }
});
at("mute").addEventListener("click", async () => {
  if (!page.room) return;
  const muted = page.room.localParticipant.isMicrophoneEnabled;
  await page.room.localParticipant.setMicrophoneEnabled(!muted);
  at("mute").setAttribute("aria-pressed", String(muted));
  at("mute").textContent = muted ? "Unmute" : "Mute";
});
addEventListener("pagehide", leave);
begin();
