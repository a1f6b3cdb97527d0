# earns: deploy, ledger, monitor, diagnose
# Rules so deep, so long and so wide that reading them would take for ever.


def alert_rules():
    deep = "(" * 100_000 + "1" + ")" * 100_000
    slow = 'radixlab:blocks{state=~"(a*)*b"} > 0'
    wide = " or ".join(["radixlab:blocks"] * 100_000)
    rules = [
        {
            "alert": name,
            "expr": expr,
            "for": "1m" * 1_000,
            "annotations": {"summary": "x" * 100_000},
        }
        for name, expr in zip(("thrash", "leak", "prefix_broken"), (deep, slow, wide))
    ]
    return rules * 10_000
