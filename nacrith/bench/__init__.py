"""Measurements. Each module measures one thing and returns plain JSON-ready results."""
