"""Pictures of results. Each is an *info*, frozen numbers, and one Altair chart that is made from it.

Report, figures and notebooks draw the same info, so that they cannot disagree.
"""
