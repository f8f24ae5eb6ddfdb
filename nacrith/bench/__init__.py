"""Measurements. Each module measures one thing and returns plain JSON-ready results."""

from nacrith.system.own_packages import check_packages

check_packages("corpora")
