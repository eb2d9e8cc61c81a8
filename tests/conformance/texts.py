"""Texts that handlers of the suite answer with."""

CHANGED = "chänged"
REASON = "Nöt today."
SECRET = "the secret of the handler"
