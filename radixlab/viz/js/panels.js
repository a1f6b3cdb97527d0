// The page of a view: its panels, and how one frame is painted on them.
// A panel is `{el, paint(frame)}`. It never asks the model, and moves the position only by `actions`.

import { blockMapPanel, hostPart } from "./blockmap.js";
import { h } from "./dom.js";
import { gaugesPanel, legendPanel } from "./gauges.js";
import { bindKeys } from "./keys.js";
import { Links } from "./links.js";
import { playerPanel } from "./player.js";
import { sequencesPanel } from "./sequences.js";
import { headline, summary } from "./summary.js";
import { treePanel } from "./tree.js";

// Seen where the notebook says that nobody sends events any more: after a restart, and on another day.
const DEAD = "No kernel is behind this view any more. It shows its last picture; step back through its events as before, or run its cell again.";

/** All panels of one view under `root`; `pin` and `unpin` are added to `actions`. */
export class Panels {
  constructor(actions) {
    this.gauges = gaugesPanel();
    this.player = playerPanel(actions);
    this.sequences = sequencesPanel();
    this.tree = treePanel();
    this.map = blockMapPanel();
    this.hostMap = blockMapPanel();
    this.legend = legendPanel((name) => actions.toggle(name));
    this.painted = [this.gauges, this.sequences, this.tree, this.legend, this.map, this.player];
    this.build();
    bindKeys(this.root, actions);
    const { root, picture, map, hostMap, note } = this;
    this.links = new Links({ root, picture, map, hostMap, note });
    actions.pin = (focus) => this.links.pin(focus);
    actions.unpin = () => this.links.pin(null);
  }

  build() {
    this.title = h("div", { className: "rx-title" });
    this.error = h("div", { className: "rx-error", hidden: true, aria: { role: "alert" } });
    this.note = h("span", { className: "rx-note" });
    this.host = section("Host", "evicted, but not gone: a prompt that asks for it loads it back", mapBox(this.hostMap));
    this.device = section("Block map", this.note, mapBox(this.map));
    this.words = h("pre", { className: "rx-words", id: `rx-words-${Math.random().toString(36).slice(2)}` });
    this.picture = h(
      "div",
      { className: "rx-picture", aria: { role: "img", label: "", describedby: this.words.id } },
      section("Radix tree", "", this.tree.el),
      this.device,
      section("Sequences", "shaded: found in the cache, not computed again", this.sequences.el),
    );
    const header = h("div", { className: "rx-header" }, this.title, this.gauges.el);
    const dead = h("div", { className: "rx-dead" }, DEAD);
    this.root = h("div", { className: "rx-view", tabIndex: 0, aria: { role: "group" } });
    this.root.append(header, dead, this.player.el, this.error, this.picture, this.legend.el, this.words);
  }

  /** One line where the recording cannot be shown, or stops; null takes it away. */
  say(line) {
    this.error.hidden = line === null;
    this.error.textContent = line ?? "";
  }

  paint(frame) {
    this.title.textContent = frame.title;
    this.root.classList.toggle("rx-tree-only", !frame.requests);
    for (const panel of this.painted) panel.paint(frame);
    this.paintHost(frame);
    this.describe(frame);
    if (frame.sought && frame.changes.node !== null) this.tree.reveal(frame.changes.node);
    this.links.paint(frame);
  }

  /** The host's blocks stand below the device's, where there is a host tier. */
  paintHost(frame) {
    if (!frame.state.num_host_blocks) return this.host.remove();
    if (!this.host.isConnected) this.device.after(this.host);
    this.hostMap.paint(hostPart(frame));
  }

  /** The picture in words: its first line at once, the whole after a pause, for it grows with the tree. */
  describe(frame) {
    const { state, counts, position, vocab } = frame;
    this.position = position;
    this.picture.setAttribute("aria-label", headline(state, counts));
    this.root.setAttribute("aria-label", frame.title || "CacheView");
    clearTimeout(this.describing);
    this.describing = setTimeout(() => {
      if (position === this.position) this.words.textContent = summary(state, vocab);
    }, 150);
  }
}

function mapBox(map) {
  return h("div", { className: "rx-map-box" }, map.el);
}

function section(name, hint, ...content) {
  const title = h("div", { className: "rx-section-title" }, h("b", {}, name), h("span", {}, hint));
  return h("div", { className: "rx-section" }, title, ...content);
}
