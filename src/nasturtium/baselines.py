"""Networks made by hand, to be trained beside what a search found: by the same recipe, at the same cost.

Each is a space with one member, so that a study trains it like any candidate:

    task = load_task("fashion-mnist")
    space = baselines.residual().on(task)
    study = nas.Study(space=space, estimator=Training().final(9), task=task.for_final())
    study.run("random-search", trials=1, seed=0)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nasturtium.errors import UsageError, near_matches
from nasturtium.spaces import chain, op

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nasturtium.spaces import Binding, NetworkSpace

__all__ = ["BASELINES", "baselines_for", "load", "mlp", "mobile", "residual"]


def residual(filters: int = 24) -> NetworkSpace:
    """Return a small residual network: a 5 x 5 convolution that halves the image, then three blocks.

    With 24 filters, 86,000 parameters and 6 million multiply-accumulates on 28 x 28 grey pixels.

    Args:
        filters: Of the first block; the other two have twice as many.

    References:
        He, Zhang, Ren & Sun 2016, "Deep Residual Learning" (arXiv 1512.03385), section 3.3.

    Example:
        >>> from nasturtium.testing._toys import Shapes
        >>> space = residual().on(Shapes((1, 28, 28), 10))
        >>> [architecture] = space
        >>> space.graph(architecture).params
        85810
    """
    return chain(
        op("conv", out=filters, kernel=5, stride=2),
        op("residual"),
        op("residual", out=2 * filters, stride=2),
        op("residual"),
        op("global_pool"),
        op("linear"),
    )


def mobile(filters: int = 16, expansion: int = 4) -> NetworkSpace:
    """Return a small network of inverted residual blocks.

    Args:
        filters: Of the first stage; the others have twice and four times as many.
        expansion: Of each block.

    References:
        Sandler et al. 2018, "MobileNetV2" (arXiv 1801.04381), section 3.3.

    Example:
        >>> from nasturtium.testing._toys import Shapes
        >>> space = mobile().on(Shapes((1, 28, 28), 10))
        >>> [architecture] = space
        >>> space.graph(architecture).params
        65482
    """
    return chain(
        op("conv", out=filters),
        op("inverted_residual", expansion=1),
        op("inverted_residual", out=2 * filters, stride=2, expansion=expansion),
        op("inverted_residual", expansion=expansion),
        op("inverted_residual", out=4 * filters, stride=2, expansion=expansion),
        op("inverted_residual", expansion=expansion),
        op("global_pool"),
        op("linear"),
    )


def mlp(width: int = 64, layers: int = 2) -> NetworkSpace:
    """Return a multi-layer perceptron on the flattened examples: for images and for rows of a table.

    Args:
        width: Units of each hidden layer.
        layers: Number of hidden layers.

    Raises:
        UsageError: There is no hidden layer.

    Example:
        >>> from nasturtium.testing._toys import Shapes
        >>> space = mlp().on(Shapes((1, 28, 28), 10))
        >>> [architecture] = space
        >>> space.graph(architecture).params
        55050
    """
    if layers < 1:
        raise UsageError(f"a perceptron has at least one hidden layer, got layers={layers}; raise it.")
    hidden = [block for _ in range(layers) for block in (op("linear", out=width), op("activation"))]
    return chain(op("flatten"), *hidden, op("linear"))


BASELINES: Mapping[str, Callable[[], NetworkSpace]] = {"residual": residual, "mobile": mobile, "mlp": mlp}
"""The baselines by name, with their default sizes."""


def load(name: str) -> NetworkSpace:
    """Return a baseline by its name.

    Raises:
        UsageError: There is none of that name.
    """
    if name not in BASELINES:
        raise UsageError(f"unknown baseline {name!r}; {near_matches(name, BASELINES)}")
    return BASELINES[name]()


def baselines_for(task: Binding) -> dict[str, NetworkSpace]:
    """Return the baselines that suit a task, bound to it: convolutions are for images.

    Args:
        task: The data, or anything with their shapes.
    """
    names = BASELINES if len(task.input_shape) == 3 else ["mlp"]
    return {name: BASELINES[name]().on(task) for name in names}
