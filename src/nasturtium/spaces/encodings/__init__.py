"""Encodings: architectures as vectors or counts, for surrogates, kernels and distances.

White, Neiswanger, Nolen & Savani 2020, "A Study on Encodings for Neural Architecture Search"
(arXiv 2007.04965). Each is a function of a space and an architecture.

The adjacency encodings read the decisions and are injective: different architectures have different
vectors. The path encodings read the operations on the ways through a cell and are not, as the
authors say. Weisfeiler-Lehman features read neighborhoods and tell apart what relabeling does.

Cells of equal key have equal Weisfeiler-Lehman features; they have equal paths if their dead parts
and identities are alike, too, since paths are of the cell as written.
"""

from nasturtium.spaces.encodings._adjacency import (
    adjacency_categorical,
    adjacency_continuous,
    adjacency_one_hot,
    architecture_at,
)
from nasturtium.spaces.encodings._levels import weisfeiler_lehman
from nasturtium.spaces.encodings._paths import path, path_vocabulary, paths, truncated_path

__all__ = [
    "adjacency_categorical",
    "adjacency_continuous",
    "adjacency_one_hot",
    "architecture_at",
    "path",
    "path_vocabulary",
    "paths",
    "truncated_path",
    "weisfeiler_lehman",
]
