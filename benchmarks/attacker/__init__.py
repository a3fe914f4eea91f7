"""Somebody who wants to know of few people, and has nothing but the files of a report.

Knows how reports are read, and what statistics mean, and nothing of how a report is protected: takes files apart
(`files`), reads their tables and sentences (`words`), results (`rows`) and drawings (`drawings`), asks which numbers of
people agree with each statistic (`fits`), and between which limits every number of people must lie that agrees with
everything together (`knowledge`).
"""
