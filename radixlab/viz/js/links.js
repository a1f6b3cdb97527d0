// The triple link: what is under the mouse, under the keyboard's cursor, or pinned, lights up all that belongs to it.

import { focusOf, setText } from "./dom.js";
import { linkOf } from "./facts.js";
import { noteOf } from "./note.js";

const PARTS = [["block", "blocks"], ["host-block", "hostBlocks"], ["node", "nodes"], ["sequence", "sequences"]];

/** Listens on the picture and marks, in it and on the maps, what belongs to the focus. */
export class Links {
  constructor({ root, picture, map, hostMap, note }) {
    Object.assign(this, { root, picture, map, hostMap, note });
    Object.assign(this, { frame: null, pinned: null, hovered: null, cursor: null, isLit: false, onPick: () => false });
    Object.assign(this, { followed: null, onLight: () => {} });
    const focusAt = (event) => {
      const onMap = [map, hostMap].find(({ el }) => el.contains(event.target));
      return onMap ? onMap.focusAt(event) : focusOf(event.target);
    };
    picture.addEventListener("mousemove", (event) => this.hover(focusAt(event)));
    picture.addEventListener("mouseleave", () => this.hover(null));
    picture.addEventListener("click", (event) => this.pick(focusAt(event)));
  }

  hover(focus) {
    if (sameFocus(focus, this.hovered)) return;
    this.hovered = focus;
    this.light();
  }

  /** The keyboard is on this focus, or, with null, on none; return the note on it. */
  point(focus) {
    this.cursor = focus;
    this.light();
    return focus && this.frame ? this.noteOn(focus) : "";
  }

  /** The reader chose this focus: an answer where one is asked for, else a pin. */
  pick(focus) {
    if (!focus || !this.onPick(focus)) this.pin(focus);
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

  /** What has the focus here; null for nothing. */
  get focus() {
    return this.pinned ?? this.hovered ?? this.cursor;
  }

  light() {
    this.show();
    this.onLight(this.focus);
  }

  /** Mark what another picture's focus is here, `{link, line}`, as long as nothing here has the focus; null ends that. */
  follow(twin) {
    if (!twin && !this.followed) return;
    this.followed = twin;
    this.show();
  }

  show() {
    if (!this.frame) return;
    const { focus } = this;
    const link = focus ? linkOf(this.frame.state, focus) : (this.followed?.link ?? null);
    if (link || this.isLit) this.mark(link);
    this.isLit = Boolean(link);
    this.map.light(link);
    this.hostMap.light(link && { ...link, blocks: link.hostBlocks });
    setText(this.note, this.lineOn(focus, link));
  }

  lineOn(focus, link) {
    if (!focus && this.followed) return this.followed.line;
    return this.noteOn(focus, link) + (this.pinned ? " · pinned, Esc lets go" : "");
  }

  /** Light up what belongs to the link in the picture, and nothing else. */
  mark(link) {
    this.root.classList.toggle("rx-linked", Boolean(link));
    for (const [name, key] of PARTS) {
      for (const el of this.picture.querySelectorAll(`[data-${name}]`)) {
        el.classList.toggle("rx-lit", Boolean(link?.[key].has(Number(el.getAttribute(`data-${name}`)))));
      }
    }
  }

  noteOn(focus, link = linkOf(this.frame.state, focus)) {
    return noteOf(focus, this.frame, link, (focus?.pool === "hostBlock" ? this.hostMap : this.map).reading);
  }
}

function sameFocus(a, b) {
  return a === b || (a && b && a.kind === b.kind && a.id === b.id);
}
