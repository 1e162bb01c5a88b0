"""An example for each command, printed at the end of its --help, and the groups in which commands are listed. Pure."""

GROUPS = {
    "Try it": ("demo", "chat", "say", "converse", "parse", "body"),
    "Use a unit": ("run", "status", "control", "owner", "memory", "factory-reset", "usage", "latency"),
    "Set up and test": ("check", "doctor", "models", "identity", "provision", "wakeword"),
    "For developers": ("emulate",),
}
"""The commands by what a person wants, in the order of the list. Commands of other packages follow."""

EXAMPLES = {
    "body": "companion body play wave",
    "chat": "companion chat --device configs/devices/toy.toml",
    "check": "companion check configs/devices/toy.toml",
    "control": "companion control volume 40",
    "converse": "companion converse --in user.wav --out reply.wav",
    "demo": "companion demo --file",
    "doctor": "sudo companion doctor",
    "emulate": "companion emulate --port 8080",
    "factory-reset": "companion factory-reset --yes",
    "identity": "companion identity",
    "latency": "companion latency --last 50",
    "memory": "sudo companion memory show",
    "models": "companion models pull en",
    "owner": "sudo companion owner open",
    "parse": "echo '(waves) Hello!' | companion parse",
    "provision": "sudo companion provision",
    "run": "companion run --device configs/devices/toy.toml",
    "say": "companion say '(waves) Hello there!'",
    "status": "companion status --json",
    "usage": "companion usage",
    "wakeword": "companion wakeword --help",
}
"""One line each, as it is typed."""
