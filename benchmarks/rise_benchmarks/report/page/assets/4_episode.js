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
function scrolling(made, label) {
  // a box that scrolls must be reached by the keyboard
  made.tabIndex = 0;
  made.setAttribute("role", "group");
  made.setAttribute("aria-label", label);
  return made;
}
function attemptBox(title, said, attempt, other, chosen) {
  const [reply, verdict, answer, tokens, read, finish, agent, inside] = attempt;
  const text = element("pre", "");
  if (other) text.append(...difference(other[0], reply));
  else text.textContent = reply;
  const facts = `${agent} · ${tokens} tokens, ${read} read` + (finish === "stop" ? "" : ` · ended by ${finish}`);
  return element("div", "turn" + (chosen ? " chosen" : "") + (other && other[2] !== answer ? " changed" : ""),
    element("h4", "", title + " ", element("span", "verdict " + verdict, WORDS[verdict])),
    element("div", "facts", "answer: ", element("span", "answer", answer === null ? "none" : answer)),
    said === null ? null : scrolling(element("div", "said", element("pre", "", said)), "feedback"),
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
  return scrolling(element("div", "turns", ...boxes), "turns");
}
function twinsOf(number) {
  // the other episodes of the same problem; those that differ only in the policy come first
  const twins = [];
  for (let i = 0; i < index.problem.length; i++)
    if (i !== number && index.problem[i] === index.problem[number]) twins.push(i);
  const same = (i) => (index.protocol[i] === index.protocol[number] ? 0 : 1) + (index.seed[i] === index.seed[number] ? 0 : 2);
  return twins.sort((a, b) => same(a) - same(b) || a - b);
}
function tools(number, twins, compared) {
  const choice = element("select", "");
  choice.id = "compare";
  choice.append(new Option("nothing", ""), ...twins.map((i) => new Option(whoOf(i), i)));
  choice.value = compared === undefined ? "" : compared;
  choice.addEventListener("change", () => {
    wanted = choice.value === "" ? null : played(+choice.value);
    choose(number);
  });
  const button = (text, by) => {
    const made = element("button", "", text);
    made.type = "button";
    made.addEventListener("click", () => step(by));
    return made;
  };
  const link = element("a", "", "link to this episode");
  link.id = "link";
  link.href = linkTo(number);
  return element("div", "tools", button("previous", -1), button("next", 1),
    element("label", "", "compare with ", choice), link);
}
async function open(number) {
  opened = number;
  reveal();
  draw();
  const [id, question, reference, solution] = problemOf(number);
  const mine = await episode(number);
  const twins = twinsOf(number);
  const compared = wanted ? twins.find((i) => sameAs(i, wanted)) : undefined;
  const parts = [tools(number, twins, compared),
    element("div", "problem", element("b", "", id), element("pre", "", question),
      element("div", "facts", "reference answer: ", element("span", "answer", reference)),
      solution ? element("details", "", element("summary", "", "worked solution"), element("pre", "", solution)) : null),
    element("h3", "", whoOf(number), " ", marks(index.verdicts[number])), turnsOf(number, mine, null)];
  if (compared !== undefined) {
    parts.push(element("h3", "", whoOf(compared), " ", marks(index.verdicts[compared]), " (what differs is marked)"),
      turnsOf(compared, await episode(compared), mine));
  }
  if (opened !== number) return;
  $("detail").replaceChildren(...parts);
  $("detail").scrollTop = 0;
}
