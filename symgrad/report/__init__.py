"""Derivations for people: LaTeX, HTML, the terminal. `layout` is what all printers print, `contents` what all say."""
