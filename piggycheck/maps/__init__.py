"""Piecewise maps: what they are made of, their pieces, and the Jacobian pairs at a point."""

from piggycheck.maps.affine import Affine
from piggycheck.maps.base import (
    Activity,
    BoundMap,
    Evaluation,
    Moment,
    Piece,
    PiecewiseMap,
    SelectionSet,
    Signature,
)
from piggycheck.maps.chain_rule import ChainRuleAgainstClarke, Extra, Pick, chain_rule_against_clarke
from piggycheck.maps.checks import Continuous, Gap, Jump, check_continuity
from piggycheck.maps.combine import compose, stacked, total
from piggycheck.maps.conventions import (
    CONVENTION_TABLE,
    CONVENTIONS,
    Convention,
    ConventionRow,
    convention_named,
    convention_pair,
)
from piggycheck.maps.elementwise import Elementwise
from piggycheck.maps.group import Group
from piggycheck.maps.nodes import ArrayParameter, ConstantVector, Directions, Node, Scalar, StateBlock
from piggycheck.maps.scalar_function import ScalarFunction
from piggycheck.maps.second_order_cone import SecondOrderCone
from piggycheck.maps.sources import Constant, Difference, Factor, MatrixSum, Parameter, Symmetriser, Term
from piggycheck.maps.spectral import Spectral
from piggycheck.maps.stacking import Slice, Stack
from piggycheck.maps.structured import StructuredMap
from piggycheck.maps.symbolic import SmoothPiece, SymbolicMap

__all__ = [
    "CONVENTIONS",
    "CONVENTION_TABLE",
    "Activity",
    "Affine",
    "ArrayParameter",
    "BoundMap",
    "ChainRuleAgainstClarke",
    "Constant",
    "ConstantVector",
    "Continuous",
    "Convention",
    "ConventionRow",
    "Difference",
    "Directions",
    "Elementwise",
    "Evaluation",
    "Extra",
    "Factor",
    "Gap",
    "Group",
    "Jump",
    "MatrixSum",
    "Moment",
    "Node",
    "Parameter",
    "Pick",
    "Piece",
    "PiecewiseMap",
    "Scalar",
    "ScalarFunction",
    "SecondOrderCone",
    "SelectionSet",
    "Signature",
    "Slice",
    "SmoothPiece",
    "Spectral",
    "Stack",
    "StateBlock",
    "StructuredMap",
    "SymbolicMap",
    "Symmetriser",
    "Term",
    "chain_rule_against_clarke",
    "check_continuity",
    "compose",
    "convention_named",
    "convention_pair",
    "stacked",
    "total",
]
