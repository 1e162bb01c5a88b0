"""Languages as data: one folder of TOML files for each language, and the little that reads them.

    loader          TOML files into checked parts; patterns with named fragments
    language        one language: its parts, each read when it is first asked for
    stage           what the voice reads of a language: directions, emphasis, feelings, speech
    understood      the languages that one device understands, taken together
    commands        what a person says to the device itself
    check           what a language lacks, for `companion check`

Python holds the algorithms, for each kind of writing, and names no language. docs/languages.md says how to add one.
"""
