"""Colours of the plots, of Okabe and Ito 2008: told apart by people with any colour vision."""

OURS = "#d55e00"
OTHERS = "#0072b2"
PUBLISHED = "#8c8c8c"
"""Of what others have measured; hatched besides, so that it can be told from any colour."""

GRID = "#e4e4e4"
TEXT = "#222222"
