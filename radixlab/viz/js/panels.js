// The page of a view: its panels, and how one frame is painted on them.
// A panel is `{el, paint(frame)}`. It never asks the model, and moves the position only by `actions`.

import { blockMapPanel, hostPart } from "./blockmap.js";
import { h, setText } from "./dom.js";
import { doubtPanel } from "./doubt.js";
import { drawerPanel } from "./drawer.js";
import { gaugesPanel, legendPanel } from "./gauges.js";
import { bindKeys } from "./keys.js";
import { lampPanel } from "./lamp.js";
import { Links } from "./links.js";
import { mapModes } from "./mapmodes.js";
import { playerPanel } from "./player.js";
import { predictPanel } from "./predict.js";
import { rangeBrush } from "./range.js";
import { rove } from "./rove.js";
import { pinFound, searchPanel } from "./search.js";
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
    this.lamp = lampPanel(actions);
    this.sequences = sequencesPanel();
    this.tree = treePanel();
    this.map = blockMapPanel();
    this.hostMap = blockMapPanel("hostBlock");
    this.legend = legendPanel((name) => actions.toggle(name));
    this.predict = predictPanel(actions);
    this.search = searchPanel((focus) => pinFound(this, focus), () => this.leaveSearch());
    this.brush = rangeBrush(this.player.el.querySelector(".rx-track"));
    this.drawer = drawerPanel();
    this.doubt = doubtPanel();
    this.painted = [this.gauges, this.sequences, this.tree, this.legend, this.map, this.player];
    this.painted.push(this.search, this.lamp, this.predict, this.brush, this.drawer, this.doubt);
    this.build();
    bindKeys(this.root, actions);
    const { root, picture, map, hostMap, note } = this;
    this.links = new Links({ root, picture, map, hostMap, note });
    actions.pin = (focus) => this.links.pin(focus);
    actions.unpin = () => {
      if (this.links.frame?.quiz.question) return actions.predict(false);
      this.links.pin(null);
      this.brush.clear();
    };
    actions.rangeFrom = () => this.brush.from(actions.where());
    actions.rangeTo = () => this.brush.to(actions.where());
    this.links.onPick = (focus) => actions.answer(focus);
    actions.search = () => this.search.open();
    this.tree.onCards = () => this.links.light();
    this.stops = [this.tree, map, this.hostMap, this.sequences].map((panel) => rove(panel, this.links, root));
  }

  build() {
    this.title = h("div", { className: "rx-title" });
    this.error = h("div", { className: "rx-error", hidden: true, aria: { role: "alert" } });
    this.note = h("span", { className: "rx-note" });
    this.host = section("Host", "evicted, but not gone: a prompt that asks for it loads it back", this.hostMap.el);
    this.device = section("Block map", [this.note, mapModes(this.map)], this.map.el);
    this.words = h("pre", { className: "rx-words", id: `rx-words-${Math.random().toString(36).slice(2)}` });
    this.picture = h(
      "div",
      { className: "rx-picture" },
      section("Radix tree", [this.search.el, this.tree.tools], this.tree.el),
      this.device,
      section("Sequences", "shaded: found in the cache, not computed again", this.sequences.el),
    );
    // What a screen reader is told at once, for the picture itself can be walked through.
    this.spoken = h("div", { className: "rx-words", aria: { role: "img", label: "", describedby: this.words.id } });
    const header = h("div", { className: "rx-header" }, this.title, this.gauges.el);
    const dead = h("div", { className: "rx-dead" }, DEAD);
    this.root = h("div", { className: "rx-view", tabIndex: 0, aria: { role: "group" } });
    this.player.el.querySelector(".rx-place").before(this.predict.button, this.lamp.el);
    this.root.append(header, dead, this.player.el, this.predict.el, this.brush.el, this.drawer.el);
    this.root.append(this.error, this.doubt.el, this.picture, this.legend.el, this.spoken, this.words);
  }

  /** One line where the recording cannot be shown, or stops; null takes it away. */
  say(line) {
    this.error.hidden = line === null;
    this.error.textContent = line ?? "";
  }

  paint(frame) {
    setText(this.title, frame.title);
    this.root.classList.toggle("rx-tree-only", !frame.requests);
    for (const panel of this.painted) panel.paint(frame);
    this.paintHost(frame);
    this.describe(frame);
    this.links.paint(frame);
    for (const stop of this.stops) stop();
  }

  /** From the search field back to the view, where the player's keys work; what was found stays pinned. */
  leaveSearch() {
    this.root.focus({ preventScroll: true });
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
    this.spoken.setAttribute("aria-label", headline(state, counts));
    this.root.setAttribute("aria-label", frame.title || "CacheView");
    clearTimeout(this.describing);
    this.describing = setTimeout(() => {
      if (position === this.position) this.words.textContent = summary(state, vocab);
    }, 150);
  }
}

/** A part of the picture under its name, with a hint or with tools beside it. */
function section(name, hint, ...content) {
  const beside = typeof hint === "string" ? [h("span", {}, hint)] : hint;
  const title = h("div", { className: "rx-section-title" }, h("b", {}, name), ...beside);
  return h("div", { className: "rx-section" }, title, ...content);
}
