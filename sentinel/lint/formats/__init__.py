"""formats: problems for machines that read them; text and JSON are written by `config/render.py`."""
