"""Colours (Okabe and Ito) and words of the pictures.

Every standing also has its own shape: see `block_map`.
"""

from radixlab.viz.facts import Standing

INK = "#111111"
SOFT = "#59636e"
TEXT = "#767676"
"""What lies on the page itself: its contrast is 4.5 to white, and 4.2 to the dark theme's page."""
LINE = "#c8d0d8"
PAPER = "#ffffff"
GREEN = "#009E73"
BLUE = "#0072B2"

FILL = {
    Standing.FREE: "#80808030",
    Standing.CACHED: "#56B4E9",
    Standing.USED: GREEN,
    Standing.PRIVATE: "#ffffff00",
    Standing.SHARED: GREEN,
    Standing.COPYING: "#CC79A7",
    Standing.ON_HOST: "#56B4E930",
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

ON_PAGE = {Standing.FREE, Standing.PRIVATE, Standing.ON_HOST}
"""The page shows through these blocks, so their numbers have its colour."""
