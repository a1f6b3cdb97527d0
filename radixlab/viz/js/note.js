// One line on what is pinned, focused or under the mouse.

import { ghostCounts, GHOSTS } from "./ghost.js";
import { sharesText } from "./modes.js";
import { STANDINGS } from "./palette.js";
import { plural } from "./wording.js";

const MOST_NAMES = 8;
const HINT = "Point at a sequence, a node or a block to see what belongs to it; click to pin.";

/** Say what a focus is, and what belongs to it; `reading` is what the map of that focus shows. */
export function noteOf(focus, frame, link, reading) {
  const { facts, state } = frame;
  if (!focus) return HINT;
  const ghost = focus.kind === "hostBlock" || focus.pool === "hostBlock" ? frame.hostGhost : frame.ghost;
  if (focus.kind === "range") return rangeNote(focus, link, reading) + ghostNote(ghost, focus.id, focus.last);
  if (focus.kind === "block") return blockNote(focus, frame) + ghostNote(ghost, focus.id, focus.id);
  if (focus.kind === "node" && state.nodes.get(focus.id)?.ghost) return state.nodes.get(focus.id).ghost;
  if (focus.kind === "hostBlock") {
    return `host block ${focus.id}: ${STANDINGS[facts.host.standing[focus.id]]?.name}${home(facts.host.owner[focus.id])}${ghostNote(ghost, focus.id, focus.id)}`;
  }
  const [what, others] = focus.kind === "node" ? ["sequences", link.sequences] : ["nodes", link.nodes];
  return `${focus.kind} ${focus.id}: ${plural(link.blocks.size + link.hostBlocks.size, "block")}, ${what} ${names(others)}`;
}

function blockNote({ id }, { facts, requests }) {
  const standing = STANDINGS[facts.standing[id]]?.name;
  const [where, what] = facts.alone && !requests ? ["under", "receipt"] : ["in", "block table"];
  return `block ${id}: ${standing}${home(facts.owner[id])}, ${where} ${plural(facts.readers[id], what)}`;
}

function rangeNote({ id, last, pool }, link, reading) {
  const what = pool === "hostBlock" ? "host blocks" : "blocks";
  const nodes = link?.nodes.size ? `; nodes ${names(link.nodes)}` : "";
  return `${what} ${id} to ${last}${reading ? `: ${sharesText(reading, id, last)}` : ""}${nodes}`;
}

/** What the other of two runs has in these blocks. */
function ghostNote(ghost, first, last) {
  if (!ghost) return "";
  if (first >= ghost.both) return ` · ${ghost.name} has no such block`;
  if (first === last && ghost.kinds[first]) return ` · in ${ghost.name}: ${GHOSTS[ghost.kinds[first]]}`;
  const found = ghostCounts(ghost, first, last);
  return found ? ` · ${ghost.name} differs in ${found}` : ` · the same in ${ghost.name}`;
}

function home(owner) {
  return owner === null || owner === undefined ? "" : `, held by node ${owner}`;
}

function names(ids) {
  const shown = [...ids].slice(0, MOST_NAMES).join(", ") || "none";
  return ids.size > MOST_NAMES ? `${shown} and ${ids.size - MOST_NAMES} more` : shown;
}
