"""Joint spectral radius: one proof method per file, and the driver that orders them."""

from __future__ import annotations

from piggycheck.stability.answers import Bounds, Contractive, Expansive, Moment, Open
from piggycheck.stability.driver import decide, joint_spectral_radius
from piggycheck.stability.excitation import DivergingSearch, DivergingWord, excite, find_diverging_word
from piggycheck.stability.long_words import concatenated_words
from piggycheck.stability.necklaces import necklaces
from piggycheck.stability.polynomial_growth import PolynomialGrowth, find_polynomial_growth, polynomial_growth
from piggycheck.stability.proof import Proof
from piggycheck.stability.word_tree import WordTree, prove_word_tree
from piggycheck.stability.words import WordBound, WordSearch, best_rate_word, leading_words, rate_of_word, search_words

__all__ = [
    "Bounds",
    "Contractive",
    "DivergingSearch",
    "DivergingWord",
    "Expansive",
    "Moment",
    "Open",
    "PolynomialGrowth",
    "Proof",
    "WordBound",
    "WordSearch",
    "WordTree",
    "best_rate_word",
    "concatenated_words",
    "decide",
    "excite",
    "find_diverging_word",
    "find_polynomial_growth",
    "joint_spectral_radius",
    "leading_words",
    "necklaces",
    "polynomial_growth",
    "prove_word_tree",
    "rate_of_word",
    "search_words",
]
