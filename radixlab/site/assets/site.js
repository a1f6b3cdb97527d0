// What a page of the site does: plays recordings, takes guesses, searches, and changes the theme. It asks no network
// for anything: what it loads are scripts beside the page, because a page from a disk may load nothing else.

globalThis.radixlabRecordings = {};
globalThis.radixlabPlayers = {};
const root = document.body.dataset.root;

/** Load a script once; the promise holds when it has run. */
const scripts = new Map();
function load(file) {
  if (!scripts.has(file)) {
    scripts.set(file, new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = file;
      script.onload = resolve;
      script.onerror = () => reject(new Error(`${file} cannot be loaded`));
      document.head.append(script);
    }));
  }
  return scripts.get(file);
}

/* players */

/** What a view needs of a widget's model, where no kernel is behind it. */
function deadModel(values) {
  return { get: (name) => values[name], on() {}, off() {}, send() {}, set() {}, save_changes() {} };
}

/** Put the player where its picture is. */
async function play(figure) {
  const { kind, name, file } = figure.dataset;
  await Promise.all([load(`${root}assets/player-${kind}.js`), load(file)]);
  const recording = radixlabRecordings[name];
  const el = document.createElement("div");
  figure.append(el);
  const values = kind === "pair" ? { pair: JSON.stringify(recording) } : { recording, in_sight: false };
  radixlabPlayers[kind]({ model: deadModel(values), el });
  figure.querySelector("img").remove();
  figure.classList.add("ready");
  boxes();
}

/** Bring each player to life a little before the reader reaches it. */
const near = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    near.unobserve(target);
    play(target).catch((error) => console.error(error));
  }
}, { rootMargin: "900px" });
for (const figure of document.querySelectorAll("figure.player")) near.observe(figure);

/* guesses */

const same = (a, b) => {
  const [x, y] = [a, b].map((text) => Number(text.replaceAll(",", "").split(" ")[0]));
  if (Number.isNaN(x) || Number.isNaN(y)) return a === b;
  return x === y || (!Number.isInteger(y) && Math.abs(x - y) <= 0.01 * Math.max(Math.abs(x), Math.abs(y)));
};

function answerOf(key) {
  return [...document.querySelectorAll(".answer")].find((el) => el.dataset.key === key);
}

for (const form of document.querySelectorAll("form.guess")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const field = form.elements.namedItem("guess");
    const typed = event.submitter?.value || (field instanceof HTMLInputElement ? field.value.trim() : "");
    const said = form.querySelector(".said");
    const unit = form.querySelector("input")?.dataset.unit;
    if (unit !== undefined && (!typed || Number.isNaN(Number(typed.replaceAll(",", ""))))) {
      said.textContent = "Please type a number.";
      return;
    }
    const guess = unit ? `${typed} ${unit}` : typed;
    for (const button of form.querySelectorAll("button[value]")) {
      button.setAttribute("aria-pressed", String(button === event.submitter));
    }
    said.textContent = `Your guess: ${guess}. Read on to see.`;
    const answer = answerOf(form.dataset.key);
    if (!answer) return;
    const right = same(guess, answer.dataset.answer);
    answer.classList.toggle("right", right);
    answer.classList.toggle("wrong", !right);
    const told = document.createElement("b");
    told.textContent = answer.dataset.answer;
    answer.replaceChildren(`You said ${guess}; the engine says `, told, right ? ": right." : ".");
  });
}

/* boxes that scroll sideways can be reached with the keyboard */

function boxes() {
  for (const box of document.querySelectorAll("pre, .table, .formula, .box")) {
    const scrolls = box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
    if (scrolls) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}
new ResizeObserver(boxes).observe(document.body);

/* theme */

const dark = matchMedia("(prefers-color-scheme: dark)");
const html = document.documentElement;
function applyTheme() {
  const isDark = html.dataset.theme ? html.dataset.theme === "dark" : dark.matches;
  document.body.dataset.jpThemeLight = String(!isDark); // the players follow this, as in JupyterLab
}
applyTheme();
dark.addEventListener("change", applyTheme);
document.querySelector("button.theme").addEventListener("click", () => {
  html.dataset.theme = document.body.dataset.jpThemeLight === "true" ? "dark" : "light";
  applyTheme();
  try {
    localStorage.setItem("radixlab-theme", html.dataset.theme);
  } catch {
    // not kept: the next page follows the system again
  }
});

/* search */

const box = document.querySelector(".find input");
const hits = document.querySelector(".hits");
const MOST_HITS = 12;

/** Rows that have every word; a title counts most, then a heading. */
function find(words) {
  const found = [];
  for (const [title, heading, url, text] of radixlabIndex) {
    const places = [title, heading, text].map((part) => part.toLowerCase());
    if (!words.every((word) => places.some((place) => place.includes(word)))) continue;
    const points = words.reduce((sum, word) => sum + 4 * places[1].includes(word) + 2 * places[0].includes(word) + places[2].includes(word), 0);
    found.push({ title, heading, url, text, points });
  }
  return found.sort((a, b) => b.points - a.points).slice(0, MOST_HITS);
}

function hit({ title, heading, url, text }, words) {
  const link = document.createElement("a");
  link.href = root + url.split("#").map(encodeURI).join("#");
  const at = Math.max(0, text.toLowerCase().indexOf(words[0]) - 40);
  const name = document.createElement("b");
  name.textContent = heading && heading !== title ? `${title}: ${heading}` : title;
  const around = document.createElement("span");
  around.textContent = `${at ? "…" : ""}${text.slice(at, at + 110)}…`;
  link.append(name, around);
  const row = document.createElement("li");
  row.append(link);
  return row;
}

async function search() {
  await load(`${root}assets/index.js`);
  const words = box.value.toLowerCase().split(/\s+/).filter((word) => word.length > 1);
  const found = words.length ? find(words) : [];
  hits.replaceChildren(...found.map((one) => hit(one, words)));
  if (words.length && !found.length) {
    const none = document.createElement("li");
    none.textContent = "Nothing found.";
    hits.append(none);
  }
  hits.hidden = !words.length;
}

box.addEventListener("input", () => search().catch((error) => console.error(error)));
box.addEventListener("keydown", (event) => {
  if (event.key === "Escape") close();
  if (event.key === "Enter") hits.querySelector("a")?.click();
  if (event.key === "ArrowDown") {
    event.preventDefault();
    hits.querySelector("a")?.focus();
  }
});
hits.addEventListener("keydown", (event) => {
  const links = [...hits.querySelectorAll("a")];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.key === "Escape") close();
  if (!step) return;
  event.preventDefault();
  (links[links.indexOf(document.activeElement) + step] ?? box).focus();
});
document.addEventListener("click", (event) => !event.target.closest(".find") && (hits.hidden = true));
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.closest("input, textarea, select, .rx-view")) return;
  event.preventDefault();
  box.focus();
});

function close() {
  hits.hidden = true;
  box.focus();
}

/* contents: the menu closes when one leaves it; the section in sight is marked */

const menu = document.querySelector(".menu");
document.addEventListener("click", (event) => !event.target.closest(".menu") && menu.removeAttribute("open"));
menu.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  menu.removeAttribute("open");
  menu.querySelector("summary").focus();
});

const entries = [...document.querySelectorAll(".contents a")];
const targets = entries.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1))));
function markSection() {
  const last = targets.findLastIndex((el) => el && el.getBoundingClientRect().top < 120);
  entries.forEach((link, k) => (k === last ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
}
if (entries.length) {
  document.addEventListener("scroll", () => requestAnimationFrame(markSection), { passive: true });
  markSection();
}
