"""Break rules as the writer, the sweep and the pages use them: places, stays, budgets, words."""
