"""Faults tried on real processes and files: what is left after each of them?"""
