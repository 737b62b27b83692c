"""The language in which a product manager writes a model: read with every problem at once, each with its line.

`read_model` turns a file into a `Model` (see `specification`); nothing else of the house reads model files.
"""

from configurator.language.fields import ModelError, Problem
from configurator.language.reading import content_hash, read_model, read_model_text, read_whole
from configurator.language.sources import Whole, put_together
from configurator.language.specification import Model

__all__ = ["Model", "ModelError", "Problem", "Whole", "content_hash", "put_together", "read_model", "read_model_text", "read_whole"]
