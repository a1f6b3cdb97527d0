// One of two runs on a page: its log, and the panels that show it at a position, with the other run as a ghost.

import { blockMapPanel, hostPart } from "./blockmap.js";
import { changesAt } from "./changes.js";
import { h, setText } from "./dom.js";
import { blockFacts, countFacts, linkOf } from "./facts.js";
import { ghostLine, ghostOf, ghostTreeLine, hostGhostOf, withGhosts } from "./ghost.js";
import { Links } from "./links.js";
import { Log } from "./log.js";
import { contentsByPrefix } from "./prefixes.js";
import { rove } from "./rove.js";
import { sequencesPanel } from "./sequences.js";
import { headline, summary } from "./summary.js";
import { treePanel } from "./tree.js";
import { twinOf } from "./twin.js";
import { whyLine } from "./why.js";
import { plural } from "./wording.js";

const PAIR_CELLS = { whole: 1024, parts: 600 }; // half a page wide: cells that stand for several blocks have room for two stacks

/** One run: its log and its panels under `el`. */
export class Side {
  constructor(recording) {
    this.log = new Log();
    this.log.load(recording);
    this.name = this.log.title;
    this.tree = treePanel();
    this.map = blockMapPanel("block", PAIR_CELLS);
    this.hostMap = blockMapPanel("hostBlock", PAIR_CELLS);
    this.sequences = sequencesPanel();
    for (const { focusEl } of [this.tree, this.map, this.hostMap, this.sequences]) {
      focusEl.setAttribute("aria-label", `${focusEl.getAttribute("aria-label")}, ${this.name}`);
    }
    this.build();
  }

  build() {
    const { error } = this.log.timeline;
    this.numbers = h("span");
    this.ghostLine = h("div", { className: "rx-pair-ghost-line" });
    this.why = h("div", { className: "rx-pair-why" });
    this.note = h("div", { className: "rx-pair-note", aria: { live: "polite" } });
    this.host = h("div", { className: "rx-pair-host" }, h("span", {}, "Host"), this.hostMap.el);
    const title = h("div", { className: "rx-section-title" }, h("b", {}, this.name), this.tree.tools, this.numbers);
    const stopped = h("div", { className: "rx-error", hidden: !error }, error ? `this recording stops at ${error}` : "");
    this.picture = h("div", {}, this.tree.el, this.ghostLine, this.map.el, this.host);
    if (this.log.requests) this.picture.append(this.sequences.el);
    this.el = h("div", { className: "rx-pair-side" }, title, stopped, this.why, this.note, this.picture);
  }

  /** Link the panels, and make each a tab stop; `root` has the player's keys. */
  connect(root) {
    const { el, picture, map, hostMap, note, tree } = this;
    this.links = new Links({ root: el, picture, map, hostMap, note });
    tree.onCards = () => this.links.light();
    this.stops = [tree, map, hostMap, this.sequences].map((panel) => rove(panel, this.links, root));
  }

  get events() {
    return this.log.timeline.events;
  }

  run() {
    return { name: this.name, start: this.log.timeline.stateAt(0), events: this.events };
  }

  /** What this run has after `position` of its events, with numbers for its prefixes that both runs share. */
  momentAt(position, prefixes) {
    const { name, log } = this;
    const state = log.timeline.stateAt(position);
    this.moment = { name, position, state, facts: blockFacts(state), contents: contentsByPrefix(state, prefixes) };
  }

  /** Paint this run's moment; with `ghosts`, what `other`, the other side, has where this one has something else. */
  paint(other, ghosts, hint) {
    const { moment, log } = this;
    const frame = this.frameOf(moment, hint);
    const ghostly = (find) => (ghosts ? find(moment, other.moment) : null);
    Object.assign(frame, { ghost: ghostly(ghostOf), hostGhost: ghostly(hostGhostOf) });
    setText(this.numbers, `event ${moment.position} of ${log.timeline.end} · ${headline(moment.state, frame.counts).replace("CacheView: ", "")} · ${moment.state.evicted_blocks} evicted`);
    setText(this.ghostLine, ghosts ? differences(moment, other.moment, frame.ghost).join("; ") : "");
    const before = (k) => log.timeline.eventBefore(moment.position - k);
    setText(this.why, whyLine(before(0), moment.state, before));
    this.map.paint(frame);
    this.host.hidden = !moment.state.num_host_blocks;
    if (!this.host.hidden) this.hostMap.paint({ ...hostPart(frame), ghost: frame.hostGhost });
    const merged = ghosts ? { ...frame, state: withGhosts(moment, other.moment) } : frame;
    this.tree.paint(merged);
    this.sequences.paint(frame);
    this.frame = frame;
    this.links.frame = merged;
  }

  /** Mark what has the focus, in both runs; call it when both are painted. */
  light() {
    this.links.light();
    for (const stop of this.stops) stop();
  }

  frameOf({ position, state, facts }, hint) {
    const { timeline, vocab, requests } = this.log;
    const changes = changesAt(timeline, position, hint.dimmed);
    const touched = new Set([...changes.hit.blocks, ...changes.new.blocks, ...changes.evicted.blocks]);
    const frame = { state, facts, counts: countFacts(state, facts), changes, touched, timeline, forks: timeline.forks, position };
    return { ...frame, text: (tokens) => this.log.textOf(tokens), vocab, requests, scores: null, quiz: { on: false }, ...hint };
  }

  /** Mark here what has the focus in `other`, and say what of it this run has. */
  follow(other, focus) {
    if (!focus) return this.links.follow(null);
    const { twin } = other.links.frame.state.nodes.get(focus.kind === "node" ? focus.id : null) ?? {};
    const found = twinOf({ ...focus, twin }, other.moment, this.moment);
    const own = linkOf(other.moment.state, focus).nodes;
    for (const node of this.links.frame.state.nodes.values()) if (node.ghost && own.has(node.twin)) found.link.nodes.add(node.id);
    return this.links.follow({ ...found, line: `${wordsOf(focus, other)}: ${found.line}` });
  }

  /** The moment in words: the state, and what the other run has in its blocks. */
  words(other) {
    const { moment, log, name } = this;
    return [`${name}: ${summary(moment.state, log.vocab)}`, ...differences(moment, other.moment)].join("\n");
  }
}

/** What the other run has that this one has not, in lines of words. */
function differences(mine, other, ghost = ghostOf(mine, other)) {
  return [ghostLine(mine, other, ghost), ghostTreeLine(mine, other)].filter(Boolean);
}

/** What has the focus in the other run, by its name there. */
function wordsOf({ kind, id, last }, { name, links }) {
  if (kind === "range") return `${plural(last - id + 1, "block")} of ${name}, from ${id} on`;
  const ghost = kind === "node" && links.frame.state.nodes.get(id)?.ghost;
  return ghost ? "this node" : `${kind === "hostBlock" ? "host block" : kind} ${id} of ${name}`;
}
