// What the page shows of whose call it is.
"use strict";

const at = (id) => document.getElementById(id);

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
  at("number").textContent = card.shown || "Number withheld";
  at("number").hidden = false;
  document.title = `Call: ${name}`;
  fact("Company", card.company, spelled(card.company || ""));
  fact("Need", card.need);
  fact("Budget", card.budget);
  fact("When", card.timeline);
  for (const [label, value] of Object.entries(card.more || {})) fact(label, value);
  fact("Why now", card.reason);
  fact("Promised", card.promises);
  for (const words of card.said || []) {
    const line = document.createElement("li");
    line.textContent = `“${words}”`;
    at("said").append(line);
  }
  at("quotes").hidden = !(card.said || []).length;
  at("nothing").hidden = Boolean(at("facts").children.length || at("said").children.length);
}

// Letter by letter, one word after the other: A-C-M-E P-H-O-N-E-S.
function spelled(name) {
  const words = name.slice(0, 30).toUpperCase().split(/\s+/);
  return words.map((word) => [...word].filter((one) => /[\p{L}\p{N}]/u.test(one)).join("\u2011")).filter(Boolean).join(" ");
}
