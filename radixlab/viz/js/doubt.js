// Where the picture of another engine's cache cannot be trusted, in one line: the same words as radixlab/observe/doubt.py.

import { h } from "./dom.js";

const DOUBTS = {
  missing_payloads: ["payload", "missing"],
  lost_payloads: ["payload", "lost"],
  refused_messages: ["message", "refused"],
  left_out_blocks: ["block", "left out"],
};

/** Why a picture may be wrong, or "" if nothing speaks against it. */
export function doubtLine(state) {
  const said = Object.entries(DOUBTS)
    .filter(([name]) => state[name] > 0)
    .map(([name, [noun, rest]]) => `${state[name].toLocaleString("en")} ${noun}${state[name] === 1 ? "" : "s"} ${rest}`);
  return said.length ? `This picture may be wrong: ${said.join(", ")}` : "";
}

/** What a report of the stream says, for the why line. */
export function streamLine(e) {
  const whose = e.publisher ? `${e.publisher}: ` : "";
  const which = e.first === e.last ? `payload ${e.first}` : `payloads ${e.first} to ${e.last}`;
  const lines = {
    missing: `${which} did not arrive, so the picture may be wrong from here on`,
    fewer: "fewer payloads are missing or lost than before, but some are",
    whole: "nothing is missing any more: the picture is whole again",
    lost: "payloads are lost for good: what they told is not in the picture",
    restarted: "the publisher began again, so everything known before is void",
    refused: "a message could not be used and was dropped",
    left_out: "blocks did not fit into the pool that is drawn, and were left out",
  };
  return `${whose}${Object.hasOwn(lines, e.cause) ? lines[e.cause] : e.cause}`;
}

/** The panel with that line: `{el, paint(frame)}`. */
export function doubtPanel() {
  const el = h("div", { className: "rx-doubt", hidden: true, aria: { role: "status" } });
  return {
    el,
    paint({ state }) {
      const line = doubtLine(state);
      el.hidden = !line;
      if (el.textContent !== line) el.textContent = line;
    },
  };
}
