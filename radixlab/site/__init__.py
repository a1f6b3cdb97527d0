"""`make site`: the course as a folder of pages that any host serves, or that open from a disk.

The pages are made from the files of the repository: lessons, exercises, the rulebook, docs. A
lesson's live views are recorded while it runs, and the page plays the recording. This package does
not know caches.
"""
