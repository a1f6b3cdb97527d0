"""Colours (Okabe and Ito) and words of the pictures.

Every standing also has its own shape: see `block_map`.
"""

from radixlab.viz.facts import Standing

INK = "#111111"
SOFT = "#59636e"
LINE = "#c8d0d8"
PAPER = "#ffffff"
GREEN = "#009E73"
BLUE = "#0072B2"

FILL = {
    Standing.FREE: "#e4e7ea",
    Standing.CACHED: "#56B4E9",
    Standing.USED: GREEN,
    Standing.PRIVATE: PAPER,
    Standing.SHARED: GREEN,
    Standing.COPYING: "#CC79A7",
    Standing.ON_HOST: "#dcedf8",
}

LEGEND = {
    Standing.FREE: "free",
    Standing.CACHED: "cached (evictable)",
    Standing.USED: "in use by one (corner)",
    Standing.PRIVATE: "private (outline)",
    Standing.SHARED: "shared (count)",
    Standing.COPYING: "copying (arrow)",
    Standing.ON_HOST: "on host (dotted)",
}
