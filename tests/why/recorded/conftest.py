"""The programs here need packages that only their own environments have: not looked at."""

collect_ignore_glob = ["programs/*"]
