"""What single lessons and exercises bring on stage: one module for each scene.

A module here serves one notebook, which it names. What any lesson may call is in the folder above.
"""
