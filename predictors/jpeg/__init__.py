"""Coefficients of JPEG pictures, by context mixing."""
