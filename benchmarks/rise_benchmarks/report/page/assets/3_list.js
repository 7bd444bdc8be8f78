// ---- the list: only the visible items are in the document ----
const HEIGHT = 30; // of an item, pixels, as in the style
function marks(verdicts) {
  const made = element("span", "marks", ...[...verdicts.slice(0, 25)].map((v) => element("span", "mark " + v, SIGNS[v])));
  made.setAttribute("role", "img");
  made.setAttribute("aria-label", [...verdicts].map((v) => WORDS[v]).join(", ") || "no reply");
  return made;
}
function draw() {
  const list = $("list");
  const first = Math.max(0, Math.floor(list.scrollTop / HEIGHT) - 5);
  const last = Math.min(shown.length, first + Math.ceil(list.clientHeight / HEIGHT) + 10);
  const items = [];
  for (let place = first; place < last; place++) {
    const number = shown[place];
    const item = element("div", "item", marks(index.verdicts[number]),
      element("span", "", problemOf(number)[0]), element("span", "who", whoOf(number)));
    item.id = "item-" + number;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", number === opened);
    item.setAttribute("aria-posinset", place + 1);
    item.setAttribute("aria-setsize", shown.length);
    item.style.top = place * HEIGHT + "px";
    item.addEventListener("click", () => choose(number));
    items.push(item);
  }
  const room = element("div", "");
  room.setAttribute("role", "presentation");
  room.style.height = shown.length * HEIGHT + "px";
  list.replaceChildren(room, ...items);
  if (items.some((item) => item.id === "item-" + opened)) list.setAttribute("aria-activedescendant", "item-" + opened);
  else list.removeAttribute("aria-activedescendant");
}
function reveal() {
  // scroll the list, and not the page, until the open episode is in sight
  const list = $("list");
  const place = shown.indexOf(opened);
  if (place < 0) return;
  if (place * HEIGHT < list.scrollTop) list.scrollTop = place * HEIGHT;
  if ((place + 1) * HEIGHT > list.scrollTop + list.clientHeight) list.scrollTop = (place + 1) * HEIGHT - list.clientHeight;
}
async function choose(number) {
  // what a person does is kept in the address; what the page does by itself is not
  await open(number);
  writeLink();
}
async function step(by) {
  if (!shown.length) return;
  const place = Math.min(shown.length - 1, Math.max(0, shown.indexOf(opened) + by));
  if (shown[place] !== opened) await choose(shown[place]);
}
function stepOf(key) {
  const page = Math.max(1, Math.floor($("list").clientHeight / HEIGHT) - 1);
  return { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[key];
}
