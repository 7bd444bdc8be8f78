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
  const count = `${shown.length} of ${index.problem.length} episodes`;
  if ($("count").textContent !== count) $("count").textContent = count;
  draw();
}
function says(number, turns, text) {
  const problem = problemOf(number);
  if ((problem[0] + "\n" + problem[1]).toLowerCase().includes(text)) return true;
  return turns.some((turn) =>
    turn[0].toLowerCase().includes(text) || turn[1].some((attempt) => attempt[0].toLowerCase().includes(text)));
}
