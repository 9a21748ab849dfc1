"""A made-up population (示例人口): people who do not exist, each of them a pure function of a number.

Nobody is looked up: `World.person(i)` is the same person each time, so that whoever loads a database and
whoever later signs in as one of its people agree without reading it. Everything about them is obviously
made up, for no register can hold it: their identity numbers carry place codes that were never given out and
their phones begin with 154, which no operator has. Names are of trees, birds and the sea.

Source: docs/province-scale.md; docs/domain.md §1.1 (identity numbers), §1.4 (number segments).
"""

from haiyiban.population.world import SIZES, Person, Sizes, World

__all__ = ["SIZES", "Person", "Sizes", "World"]
