"""The parts of a machine that radixlab can use, in the order in which they are told.

A check returns what it found, in a few words. It raises `Lacking` to say what to do, or lets any
exception through. This file lists the parts; `packages.py` and `machine.py` look at them.
"""

from radixlab.doctor import machine, packages
from radixlab.doctor.part import ALL_LESSONS, WITH_MODEL, WITH_SERVER, Part

PARTS = (
    Part("Python", packages.python, ALL_LESSONS),
    Part("radixlab", packages.own_package, ALL_LESSONS),
    Part("NumPy", packages.numpy, ALL_LESSONS),
    Part("JupyterLab", packages.jupyterlab, ALL_LESSONS),
    Part("notebook packages", packages.notebook_packages, ALL_LESSONS),
    Part("Graphviz", packages.graphviz, ALL_LESSONS),
    Part("your folder", machine.own_folder, ALL_LESSONS),
    Part("Jupyter's folders", machine.jupyter_folders, ALL_LESSONS),
    Part("ports", machine.ports, ALL_LESSONS),
    Part("torch", packages.torch, WITH_MODEL),
    Part("tiny model", packages.tiny_model, WITH_MODEL),
    Part("server packages", packages.server_packages, WITH_SERVER),
    Part("triton", packages.triton),
    Part("GPU", packages.gpu),
    Part("transformers", packages.transformers),
    Part("Ray", packages.ray),
    Part("Prometheus", machine.prometheus),
    Part("browser for tests", machine.browser),
    Part("node", machine.node),
    Part("grader's sandbox", machine.sandbox),
    Part("C compiler", machine.compiler),
    Part("free disk", machine.disk),
    Part("memory", machine.memory),
    Part("processor", machine.processor),
)
"""What lessons need comes first."""
