"""Python runs this at the start of every process of the suite: from here to its end its calls are recorded."""

from tools.truth.children import record_to_the_end

record_to_the_end()
