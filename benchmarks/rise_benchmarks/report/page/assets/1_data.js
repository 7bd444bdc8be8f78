"use strict";
// The browser of episodes. All texts of models enter the page as text nodes, never as markup.
const WORDS = { c: "correct", w: "wrong", n: "no answer", u: "unreadable", t: "timeout", h: "withheld" };
const SIGNS = { c: "✓", w: "✗", n: "–", u: "?", t: "T", h: "∅" };
const $ = (id) => document.getElementById(id);

function element(tag, name, ...children) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.append(...children.filter((child) => child !== null));
  return made;
}

// ---- data: base64 of gzip, read one block of episodes at a time ----
async function unpack(id) {
  const text = $(id).textContent.trim();
  let bytes;
  if (Uint8Array.fromBase64) bytes = Uint8Array.fromBase64(text);
  else {
    const raw = atob(text);
    bytes = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  }
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}
const blocks = new Map();
function block(number) {
  if (!blocks.has(number)) blocks.set(number, unpack("block-" + number));
  return blocks.get(number);
}
let index; // columns of all episodes
let shown = []; // episodes that pass the filters
let opened = -1;
let wanted = null; // policy, protocol and seed to compare with, kept from one episode to the next
const episode = async (number) => (await block(Math.floor(number / index.per_block)))[number % index.per_block];
const KEYS = ["row", "protocol", "seed"];
const played = (number) => KEYS.map((key) => index[key][number]);
const sameAs = (number, other) => KEYS.every((key, i) => index[key][number] === other[i]);
const problemOf = (number) => index.problems[index.problem[number]];
const whoOf = (number) =>
  `${index.rows[index.row[number]]} · ${index.protocols[index.protocol[number]]} · seed ${index.seed[number]}`;
