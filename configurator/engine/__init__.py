"""The configurator's narrow waist: a model and the choices so far in; for every option possible or not, why not, what it
really costs here, and by when, out.

`compile_model(model)` once, then `answer(compiled, choices)` at every click. The answer is complete: an option said to
be possible leads to a machine that can be built with all other choices, one said to be impossible never does.
Each machine meant is the best by, in this order: own choices kept, defaults kept, price.
"""

from configurator.engine.answers import Answer, Change, Finished, GroupAnswer, OptionAnswer, Reason, Repair
from configurator.engine.asking import Goal, Hidden, answer, count_machines, domains, finish, rehearse, repair, why_not
from configurator.engine.compilation import Choices, Compiled, UnknownChoice, compile_model
from configurator.engine.compiling import Budget
from configurator.engine.diagram import CannotCompile, NoMachine
from configurator.engine.explain import warm_up
from configurator.engine.finding import NothingLeft
from configurator.engine.solving import PriceOf
from configurator.engine.store import compile_stored

__all__ = [
    "Answer",
    "Budget",
    "CannotCompile",
    "Change",
    "Choices",
    "Compiled",
    "Finished",
    "Goal",
    "GroupAnswer",
    "Hidden",
    "NoMachine",
    "NothingLeft",
    "OptionAnswer",
    "PriceOf",
    "Reason",
    "Repair",
    "UnknownChoice",
    "answer",
    "compile_model",
    "compile_stored",
    "count_machines",
    "domains",
    "finish",
    "rehearse",
    "repair",
    "warm_up",
    "why_not",
]
