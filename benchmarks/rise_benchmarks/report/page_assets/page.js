"use strict";
// The trajectory browser. All texts of models enter the page as text nodes, never as markup.
const WORDS = { c: "correct", w: "wrong", n: "no answer", u: "unreadable", t: "timeout", h: "withheld" };
const SIGNS = { c: "✓", w: "✗", n: "–", u: "?", t: "⏱", h: "∅" };
const HEIGHT = 30; // of an item, pixels, as in the style
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
const episode = async (number) => (await block(Math.floor(number / index.per_block)))[number % index.per_block];
const problemOf = (number) => index.problems[index.problem[number]];
const whoOf = (number) =>
  `${index.rows[index.row[number]]} · ${index.protocols[index.protocol[number]]} · seed ${index.seed[number]}`;

// ---- filters ----
const FLIPS = {
  "wrong to right": (before, after) => before !== "c" && after === "c",
  "right to wrong": (before, after) => before === "c" && after !== "c",
};
const WHOLE = {
  "never right": (v) => !v.includes("c"),
  "always right": (v) => v.length > 0 && [...v].every((x) => x === "c"),
  "right at last only": (v) => v.length > 1 && v.endsWith("c") && v.indexOf("c") === v.length - 1,
  "lost: right first, wrong at last": (v) => v.startsWith("c") && !v.endsWith("c"),
};
function passes(number, want) {
  const verdicts = index.verdicts[number];
  if (want.row !== "" && index.row[number] !== +want.row) return false;
  if (want.protocol !== "" && index.protocol[number] !== +want.protocol) return false;
  if (want.seed !== "" && index.seed[number] !== +want.seed) return false;
  const turn = want.turn === "" ? null : +want.turn;
  if (want.verdict) {
    if (turn === null ? !verdicts.includes(want.verdict) : verdicts[turn] !== want.verdict) return false;
  } else if (turn !== null && !want.flip && verdicts.length <= turn) return false;
  if (!want.flip) return true;
  if (WHOLE[want.flip]) return WHOLE[want.flip](verdicts);
  if (index.protocols[index.protocol[number]] === "parallel") return false; // draws have no order
  const flips = FLIPS[want.flip];
  for (let t = 1; t < verdicts.length; t++)
    if ((turn === null || turn === t) && flips(verdicts[t - 1], verdicts[t])) return true;
  return false;
}
const NAMES = ["row", "protocol", "seed", "verdict", "flip", "turn"];
let search = 0; // number of the latest search; older ones stop
async function filter() {
  const mine = ++search;
  const want = Object.fromEntries(NAMES.map((name) => [name, $("by-" + name).value]));
  const text = $("by-text").value.trim().toLowerCase();
  let found = [];
  for (let i = 0; i < index.problem.length; i++) if (passes(i, want)) found.push(i);
  if (text) {
    const candidates = found;
    found = [];
    let block_ = -1;
    for (const number of candidates) {
      const here = Math.floor(number / index.per_block);
      if (here !== block_) {
        if (block_ >= 0 && here % 5 === 0) {
          $("count").textContent = `searching … ${found.length} found`;
          await new Promise((resolve) => setTimeout(resolve));
        }
        block_ = here;
        await block(here);
        if (mine !== search) return;
      }
      if (says(number, await episode(number), text)) found.push(number);
      if (mine !== search) return;
    }
  }
  shown = found;
  $("list").scrollTop = 0;
  $("count").textContent = `${shown.length} of ${index.problem.length} episodes`;
  draw();
}
function says(number, turns, text) {
  const problem = problemOf(number);
  if ((problem[0] + "\n" + problem[1]).toLowerCase().includes(text)) return true;
  return turns.some((turn) =>
    turn[0].toLowerCase().includes(text) || turn[1].some((attempt) => attempt[0].toLowerCase().includes(text)));
}

// ---- the list: only the visible items are in the document ----
function marks(verdicts) {
  return element("span", "marks", ...[...verdicts.slice(0, 25)].map((v) => element("span", "mark " + v, SIGNS[v])));
}
function draw() {
  const list = $("list");
  const first = Math.max(0, Math.floor(list.scrollTop / HEIGHT) - 5);
  const last = Math.min(shown.length, first + Math.ceil(list.clientHeight / HEIGHT) + 10);
  const items = [];
  for (let place = first; place < last; place++) {
    const number = shown[place];
    const item = element("div", "item" + (number === opened ? " open" : ""), marks(index.verdicts[number]),
      element("span", "", problemOf(number)[0]), element("span", "who", whoOf(number)));
    item.style.top = place * HEIGHT + "px";
    item.addEventListener("click", () => open(number));
    items.push(item);
  }
  const room = element("div", "");
  room.style.height = shown.length * HEIGHT + "px";
  list.replaceChildren(room, ...items);
}

// ---- one episode, and a second one to compare with ----
function difference(old, now) {
  // the words of `now`; those outside of the longest common subsequence with `old` are marked
  const a = old.split(/(\s+)/), b = now.split(/(\s+)/);
  if (a.length * b.length > 4e6) return [document.createTextNode(now)];
  const width = b.length + 1;
  const length = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      length[i * width + j] = a[i] === b[j] ? length[(i + 1) * width + j + 1] + 1
        : Math.max(length[(i + 1) * width + j], length[i * width + j + 1]);
  const parts = [];
  let i = 0, j = 0;
  while (j < b.length) {
    if (i < a.length && a[i] === b[j]) { parts.push(document.createTextNode(b[j])); i++; j++; }
    else if (i < a.length && length[(i + 1) * width + j] >= length[i * width + j + 1]) i++;
    else { parts.push(element("mark", "", b[j])); j++; }
  }
  return parts;
}
function attemptBox(title, said, attempt, other, chosen) {
  const [reply, verdict, answer, tokens, read, finish, agent, inside] = attempt;
  const text = element("pre", "");
  if (other) text.append(...difference(other[0], reply));
  else text.textContent = reply;
  const facts = `${agent} · ${tokens} tokens, ${read} read` + (finish === "stop" ? "" : ` · ended by ${finish}`);
  return element("div", "turn" + (chosen ? " chosen" : "") + (other && other[2] !== answer ? " changed" : ""),
    element("div", "", element("b", "", title + " "), element("span", "verdict " + verdict, WORDS[verdict])),
    element("div", "facts", "answer: ", element("span", "answer", answer === null ? "none" : answer)),
    said === null ? null : element("div", "said", element("pre", "", said)),
    inside ? element("details", "", element("summary", "", "inside the turn"), element("pre", "", inside)) : null,
    text,
    element("div", "facts", facts));
}
function turnsOf(number, turns, other) {
  const parallel = index.protocols[index.protocol[number]] === "parallel";
  const boxes = [];
  turns.forEach((turn, t) => {
    const [said, attempts, chosen] = turn;
    attempts.forEach((attempt, i) => {
      const many = attempts.length > 1;
      const title = parallel ? `draw ${i + 1}` : `turn ${t + 1}` + (many ? `, draw ${i + 1}` : "");
      const twin = other && other[t] ? other[t][1][parallel ? i : many ? -1 : other[t][2]] : null;
      boxes.push(attemptBox(title, t > 0 && i === 0 ? said : null, attempt, twin, many && !parallel && i === chosen));
    });
  });
  if (index.error[number]) boxes.push(element("div", "turn", "failed: " + index.error[number]));
  return element("div", "turns", ...boxes);
}
async function open(number, compared) {
  opened = number;
  draw();
  const [id, question, reference, solution] = problemOf(number);
  const mine = await episode(number);
  const twins = [];
  for (let i = 0; i < index.problem.length; i++)
    if (i !== number && index.problem[i] === index.problem[number]) twins.push(i);
  const same = (i) => (index.protocol[i] === index.protocol[number] ? 0 : 1) + (index.seed[i] === index.seed[number] ? 0 : 2);
  twins.sort((a, b) => same(a) - same(b) || a - b); // episodes that differ only in the policy come first
  const choice = element("select", "");
  choice.id = "compare";
  choice.append(new Option("compare with …", ""), ...twins.map((i) => new Option(whoOf(i), i)));
  choice.value = compared === undefined ? "" : compared;
  choice.addEventListener("change", () => open(number, choice.value === "" ? undefined : +choice.value));
  const parts = [
    element("div", "problem", element("b", "", id), element("pre", "", question),
      element("div", "facts", "reference answer: ", element("span", "answer", reference)),
      solution ? element("details", "", element("summary", "", "worked solution"), element("pre", "", solution)) : null),
    choice, element("h3", "", whoOf(number), " ", marks(index.verdicts[number])), turnsOf(number, mine, null)];
  if (compared !== undefined) {
    parts.push(element("h3", "", whoOf(compared), " ", marks(index.verdicts[compared]), " (what differs is marked)"),
      turnsOf(compared, await episode(compared), mine));
  }
  if (opened !== number) return;
  $("detail").replaceChildren(...parts);
  $("detail").scrollTop = 0;
}
function step(by) {
  const place = shown.indexOf(opened) + by;
  if (place < 0 || place >= shown.length) return;
  const list = $("list");
  if (place * HEIGHT < list.scrollTop) list.scrollTop = place * HEIGHT;
  if ((place + 1) * HEIGHT > list.scrollTop + list.clientHeight) list.scrollTop = (place + 1) * HEIGHT - list.clientHeight;
  open(shown[place]);
}

async function start() {
  if (!("DecompressionStream" in window)) {
    $("count").textContent = "this browser is too old to unpack the episodes (Chrome 80, Firefox 113, Safari 16.4)";
    return;
  }
  index = await unpack("index");
  const options = (name, pairs) => $("by-" + name).append(...pairs.map(([label, value]) => new Option(label, value)));
  options("row", index.rows.map((name, i) => [name, i]));
  options("protocol", index.protocols.map((name, i) => [name, i]));
  options("seed", [...new Set(index.seed)].sort((a, b) => a - b).map((seed) => [seed, seed]));
  options("verdict", Object.entries(WORDS).map(([key, word]) => [word, key]));
  options("flip", [...Object.keys(FLIPS), ...Object.keys(WHOLE)].map((name) => [name, name]));
  const turns = index.verdicts.reduce((most, v) => Math.max(most, v.length), 0);
  options("turn", Array.from({ length: Math.min(turns, 25) }, (_, t) => [t + 1, t]));
  for (const name of NAMES) $("by-" + name).addEventListener("change", filter);
  let wait = 0;
  $("by-text").addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(filter, 150); });
  $("list").addEventListener("scroll", () => requestAnimationFrame(draw));
  window.addEventListener("resize", draw);
  $("list").addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    if (by) { step(by); event.preventDefault(); }
  });
  await filter();
  if (shown.length) await open(shown[0]);
  document.documentElement.dataset.ready = "yes";
}
start();
