// A block map without its marks. It is kept from one frame to the next, and only cells that look different are drawn.

import { canvasContext, h } from "./dom.js";

/** A picture of cells beside the page. */
export class MapBase {
  constructor() {
    this.canvas = h("canvas");
    this.look = null;
    this.keys = [];
  }

  /** Begin a frame; with another `look`, a text of all that concerns every cell, nothing of the last one is kept. */
  begin(look, width, height) {
    if (look === this.look) return this.c;
    this.look = look;
    this.keys = [];
    this.c = canvasContext(this.canvas, width, height);
    return this.c;
  }

  /** Draw the cell with its left upper corner at (x, y), unless its key is the one that it was drawn for. */
  cell(id, key, [x, y], side, draw) {
    if (this.keys[id] === key) return;
    this.keys[id] = key;
    this.c.clearRect(x - 1, y, side, side); // a long number begins in the gap
    draw(x, y);
  }
}

/** The shares of one cell as a key: a number where it is exact, else a text. */
export function shareKey(shares, offset, numKinds, total) {
  let key = 0;
  for (let kind = 0; kind < numKinds; kind += 1) key = key * (total + 1) + shares[offset + kind];
  if ((total + 1) ** numKinds < Number.MAX_SAFE_INTEGER) return key;
  return shares.subarray(offset, offset + numKinds).join();
}
