"""Push: bytes become a `Ping` or samples, one file per protocol; no socket is opened here."""
