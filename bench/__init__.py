"""Measurements of the product against a floor and an obvious peer (`make bench`).

`python -m bench [NAME …]` measures what is named, or everything; bars are ratios, because
absolute times wander on shared machines. One module per theme gives rows of the table.
"""
