"""Models nobody here wrote: feature models and constraint problems from public files, read into the house's own `Model`.

One module a format: `uvl`, `dimacs`, `xcsp`, `featureide`, `clib`, and `own` for the house's language. Each returns an
`Imported`: the model, and what the file's own variables are in it. Without knowing the format, `import_any` does; who needs only
the model takes `read_any`. Every mistake in a file is a ModelError with place and remedy.
"""

from configurator.importers.originals import Imported, Original
from configurator.importers.recognising import import_any, read_any

__all__ = ["Imported", "Original", "import_any", "read_any"]
