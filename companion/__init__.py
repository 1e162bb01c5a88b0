"""The runtime inside a talking thing: it hears (`ears`), thinks (`mind`), talks (`voice`) and moves (`body`)."""

__version__ = "0.1.0"
