// The triple link: what is under the mouse, or pinned by a click, lights up all that belongs to it.

import { focusOf } from "./dom.js";
import { linkOf } from "./facts.js";
import { STANDINGS } from "./palette.js";
import { plural } from "./why.js";

const PARTS = [["block", "blocks"], ["host-block", "hostBlocks"], ["node", "nodes"], ["sequence", "sequences"]];

/** Listens on the picture and marks, in it and on the map, what belongs to the focus. */
export class Links {
  constructor({ root, picture, map, hostMap, note }) {
    Object.assign(this, { root, picture, map, hostMap, note, frame: null, pinned: null, hovered: null });
    const focusAt = (event) => {
      if (event.target === map.el) return focusOnMap(map, event, "block");
      return event.target === hostMap.el ? focusOnMap(hostMap, event, "hostBlock") : focusOf(event.target);
    };
    picture.addEventListener("mousemove", (event) => this.hover(focusAt(event)));
    picture.addEventListener("mouseleave", () => this.hover(null));
    picture.addEventListener("click", (event) => this.pin(focusAt(event)));
  }

  hover(focus) {
    if (sameFocus(focus, this.hovered)) return;
    this.hovered = focus;
    this.light();
  }

  /** Pin this focus; pinning it again, or null, lets go. */
  pin(focus) {
    this.pinned = sameFocus(focus, this.pinned) ? null : focus;
    this.light();
  }

  paint(frame) {
    this.frame = frame;
    this.light();
  }

  light() {
    if (!this.frame) return;
    const focus = this.pinned ?? this.hovered;
    const link = focus && focus.kind !== "range" ? linkOf(this.frame.state, focus) : null;
    this.root.classList.toggle("rx-linked", Boolean(link));
    for (const [name, key] of PARTS) {
      for (const el of this.picture.querySelectorAll(`[data-${name}]`)) {
        el.classList.toggle("rx-lit", Boolean(link?.[key].has(Number(el.getAttribute(`data-${name}`)))));
      }
    }
    this.map.light(link);
    this.hostMap.light(link && { ...link, blocks: link.hostBlocks });
    this.note.textContent = noteOf(focus, this.frame, link) + (this.pinned ? " · pinned, Esc lets go" : "");
  }
}

function focusOnMap(map, event, kind) {
  const range = map.blocksAt(event);
  if (!range) return null;
  return range[0] === range[1] ? { kind, id: range[0] } : { kind: "range", id: range[0], last: range[1] };
}

function sameFocus(a, b) {
  return a === b || (a && b && a.kind === b.kind && a.id === b.id);
}

/** One line on what is pinned or under the mouse. */
function noteOf(focus, { facts }, link) {
  if (!focus) return "Point at a sequence, a node or a block to see what belongs to it; click to pin.";
  if (focus.kind === "range") return `blocks ${focus.id} to ${focus.last}`;
  if (focus.kind === "block") {
    const owner = facts.owner[focus.id];
    const home = owner === null ? "" : `, held by node ${owner}`;
    const standing = STANDINGS[facts.standing[focus.id]].name;
    const readers = facts.alone ? "under" : "in";
    const what = facts.alone ? "receipt" : "block table";
    return `block ${focus.id}: ${standing}${home}, ${readers} ${plural(facts.readers[focus.id], what)}`;
  }
  if (focus.kind === "hostBlock") {
    const owner = facts.host.owner[focus.id];
    return `host block ${focus.id}: ${STANDINGS[facts.host.standing[focus.id]].name}${owner === null ? "" : `, held by node ${owner}`}`;
  }
  const [what, others] = focus.kind === "node" ? ["sequences", link.sequences] : ["nodes", link.nodes];
  return `${focus.kind} ${focus.id}: ${plural(link.blocks.size + link.hostBlocks.size, "block")}, ${what} ${[...others].join(", ") || "none"}`;
}
