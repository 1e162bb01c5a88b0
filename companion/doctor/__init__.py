"""The station test of one finished unit: one page of PASS, FAIL and SKIP, with advice for each FAIL.

`plan` lists the checks, `checks_*` contain them, `check` runs them, and `report` formats the results.
"""
