"""The file format NC06: reading and writing it. Knows no model and no predictor.

Every number that stands in a file is a literal here.
"""
