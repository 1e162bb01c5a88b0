"""The station test: is this unit whole? One page of PASS, FAIL and SKIP, and what to do for each FAIL.

`examination` runs the checks one after the other, each within its time; `report` and `card` show what came of them.
"""
