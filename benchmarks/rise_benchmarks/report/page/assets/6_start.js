// ---- the start ----
function fillFilters() {
  const options = (name, pairs) => $("by-" + name).append(...pairs.map(([label, value]) => new Option(label, value)));
  options("row", index.rows.map((name, i) => [name, i]));
  options("protocol", index.protocols.map((name, i) => [name, i]));
  options("seed", [...new Set(index.seed)].sort((a, b) => a - b).map((seed) => [seed, seed]));
  options("verdict", Object.entries(WORDS).map(([key, word]) => [word, key]));
  options("flip", [...Object.keys(FLIPS), ...Object.keys(WHOLE)].map((name) => [name, name]));
  const turns = index.verdicts.reduce((most, v) => Math.max(most, v.length), 0);
  options("turn", Array.from({ length: Math.min(turns, 25) }, (_, t) => [t + 1, t]));
}
async function start() {
  if (!("DecompressionStream" in window)) {
    $("count").textContent = "this browser is too old to unpack the episodes (Chrome 80, Firefox 113, Safari 16.4)";
    return;
  }
  index = await unpack("index");
  fillFilters();
  const refilter = async () => { await filter(); writeLink(); };
  for (const name of NAMES) $("by-" + name).addEventListener("change", refilter);
  let wait = 0;
  $("by-text").addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(refilter, 150); });
  $("list").addEventListener("scroll", () => requestAnimationFrame(draw));
  window.addEventListener("resize", draw);
  window.addEventListener("hashchange", () => { if (location.hash.includes("=")) readLink(); });
  $("list").addEventListener("keydown", (event) => {
    const by = stepOf(event.key);
    if (by && !event.ctrlKey && !event.metaKey && !event.altKey) { step(by); event.preventDefault(); }
  });
  await readLink();
  document.documentElement.dataset.ready = "yes";
}
start();
