/**
 * Bounds of a formula. Those marked as expr's are its own; the others stand in for what Go leaves to the stack and
 * to the patience of the operator.
 */
export const maxFormulaLength = 10_000;

/** Nesting of operators, calls, brackets and branches. */
export const maxFormulaDepth = 256;

/** Nodes of the syntax tree (expr's). */
export const maxNodes = 10_000;

/** Elements of all the lists that one evaluation makes, together (expr's memory budget). */
export const memoryBudget = 1_000_000;

/** Rounds of loops and elements looked at in one evaluation, together: some tens of milliseconds. */
export const maxSteps = 2_000_000;

/** Characters of one string that an evaluation makes. */
export const maxStringLength = 1_000_000;
