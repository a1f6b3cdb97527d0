"""Exercise 8.5.1: a radix tree of whole blocks. `items` lists the rules."""
