"""Sentences that remember what was put into them; every room tells them in the same way."""

from data_contracts.telling import REMEDY, Number, Told, join_told, list_told, read_told, tell, tell_many, words_of

__all__ = ["REMEDY", "Number", "Told", "join_told", "list_told", "read_told", "tell", "tell_many", "words_of"]
