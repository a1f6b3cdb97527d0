"""Broken keys: tenants who share, and tokens that are not compared."""

from radixlab.cache.tree import RadixTree
from tests.mutants.edits import Edit, breaks

WANTED = "self.roots.get(namespace) or self._root(namespace)"


@breaks("K1")
def all_tenants_have_one_root():
    """Everybody is served from everybody's prompts: no namespace at all.

    vLLM 3264.
    """
    return [Edit(RadixTree.find, {WANTED: WANTED.replace("namespace", "None")})]


@breaks("K2")
def the_tag_of_a_namespace_is_dropped():
    """Salt "x" is adapter "x".

    vLLM 44701, SGLang 24638.
    """
    return [
        Edit(
            RadixTree.find,
            {WANTED: WANTED.replace("namespace", '(namespace and ("", namespace[1]))')},
        )
    ]


@breaks("K3")
def an_edge_is_compared_by_eight_bits_of_a_hash():
    """What has the same hash is the same: a collision serves the KV of other tokens."""
    same = "sum(data[position : position + len({0}.edge)]) % 256 == sum({0}.edge) % 256"
    fits = "position + len(each.edge) <= stop"
    alike = f"(each for each in node.children.values() if {fits} and {same.format('each')})"
    return [
        Edit(
            RadixTree.find,
            {
                "child = node.children.get(": f"child = next({alike}, None) or node.children.get(",
                "not data.startswith(child.edge, position)": f"not {same.format('child')}",
            },
        )
    ]
