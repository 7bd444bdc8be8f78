// ---- the address: filters and the open episode, as #name=value&... ----
const OPEN = ["open", "open.protocol", "open.seed", "open.problem"];
const WITH = ["with", "with.protocol", "with.seed"];
const labels = ([row, protocol, seed]) => [index.rows[row], index.protocols[protocol], seed];
function linkTo(number) {
  const link = new URLSearchParams();
  for (const name of NAMES) {
    const choice = $("by-" + name);
    if (choice.value !== "") link.set(name === "row" ? "policy" : name, choice.selectedOptions[0].text);
  }
  const text = $("by-text").value.trim();
  if (text) link.set("text", text);
  if (number >= 0) [...labels(played(number)), problemOf(number)[0]].forEach((value, i) => link.set(OPEN[i], value));
  if (wanted) labels(wanted).forEach((value, i) => link.set(WITH[i], value));
  return "#" + link;
}
function writeLink() {
  history.replaceState(null, "", linkTo(opened));
}
function numbers(link, names) {
  // policy, protocol and seed as numbers of the index, or null if the link does not have them
  if (!link.has(names[0])) return null;
  const [row, protocol, seed] = names.slice(0, 3).map((name) => link.get(name));
  return [index.rows.indexOf(row), index.protocols.indexOf(protocol), +seed];
}
async function readLink() {
  // the links to sections have no value
  const link = new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
  for (const name of NAMES) {
    const text = link.get(name === "row" ? "policy" : name);
    const found = [...$("by-" + name).options].find((option) => option.value !== "" && option.text === text);
    $("by-" + name).value = found ? found.value : "";
  }
  $("by-text").value = link.get("text") || "";
  wanted = numbers(link, WITH);
  await filter();
  const own = numbers(link, OPEN);
  const id = link.get("open.problem");
  let number = -1;
  if (own) number = index.problem.findIndex((_, i) => sameAs(i, own) && problemOf(i)[0] === id);
  if (number >= 0) $("browser").scrollIntoView();
  else if (shown.length) number = shown[0];
  if (number >= 0) await open(number);
}
