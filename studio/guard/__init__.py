"""Makes the learned part of a language's guard from labelled sentences: `make guard`."""
