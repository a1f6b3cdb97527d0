// The bar over two runs: the player's buttons, the way to where the runs part, the switch of the ghosts, the scrubber.

import { h } from "./dom.js";
import { pairLanes } from "./pairlanes.js";
import { iconOf } from "./player.js";

const PAIR_BUTTONS = [
  ["first", "First (Home)"],
  ["back", "Step back (←)"],
  ["play", "Play (space)"],
  ["step", "Step (→)"],
  ["last", "Last (End)"],
  ["previousMark", "Previous request (shift+←)"],
  ["nextMark", "Next request (shift+→)"],
];
const GHOST_HELP = "dashed: what the other run has and this one has not; in a block: what the other run has there (g)";

/** The bar: `{els, paint(pair, where, said)}`; `names` are the runs', `length` is the axis's, `parts` says whether they part. */
export function pairBar(actions, { names, length, parts }) {
  const buttons = PAIR_BUTTONS.map(([name, label]) => {
    const button = h("button", { type: "button", title: label, data: { action: name }, aria: { label } }, iconOf(name));
    button.addEventListener("click", actions[name]);
    return button;
  });
  const jump = h("button", { type: "button", className: "rx-pair-jump", hidden: !parts }, "Go to where they part");
  jump.addEventListener("click", actions.parting);
  const box = h("input", { type: "checkbox", checked: true });
  box.addEventListener("change", () => actions.ghosts(box.checked));
  const ghosts = h("label", { className: "rx-pair-ghosts", title: GHOST_HELP }, box, " show what only the other run has");
  const where = h("span", { className: "rx-where" });
  const bar = h("div", { className: "rx-buttons", aria: { role: "toolbar", label: "Player" } }, ...buttons, jump, ghosts, where);
  const lanes = pairLanes();
  const scrub = h("input", { type: "range", className: "rx-scrub", min: 0, max: length, step: 1, aria: { label: "Position in both runs" } });
  scrub.addEventListener("input", () => actions.seek(Number(scrub.value)));
  const lane = h("div", { className: "rx-lane-names" }, ...names.map((name) => h("span", { title: name }, name)));
  const line = h("div", { className: "rx-timeline rx-pair-line" }, lane, h("div", { className: "rx-track" }, lanes.el, scrub));
  const play = buttons.find(({ dataset }) => dataset.action === "play");
  return { els: [bar, line], box, paint: (pair, said, spoken) => paintPairBar({ play, where, scrub, lanes }, pair, said, spoken) };
}

function paintPairBar({ play, where, scrub, lanes }, pair, said, spoken) {
  const { position, playing, speed } = pair;
  scrub.value = position;
  scrub.setAttribute("aria-valuetext", `${said}; ${spoken}`);
  where.textContent = playing ? `${said} · ${speed} a second` : said;
  play.replaceChildren(iconOf(playing ? "pause" : "play"));
  play.title = playing ? "Pause (space)" : "Play (space)";
  play.setAttribute("aria-label", playing ? "Pause" : "Play");
  lanes.paint(pair);
}
