"""The settings files: device, persona, and how TOML is read into checked settings.

Docstrings below the fields are the descriptions in the JSON Schemas, which editors show (`make schemas`).
"""
