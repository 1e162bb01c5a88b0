"""The examination of a unit: device file, persona, language and choreography together, on this machine.

`check`, `provision`, `doctor` and `run` share it, so that none of them calls well what another refuses. It builds
nothing, opens no device and asks no server.

    findings.py      what is found, and where it stands
    of_persona.py    the persona file by itself
    of_body.py       channels, outputs, pins and choreography
    of_character.py  the character service: address, model, key, lengths
    of_settings.py   settings that do not fit together
    of_engines.py    what is installed here: wake word, transcriber, voice, bodies
    unit.py          all of it for one device file
"""
