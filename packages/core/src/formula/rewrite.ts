import { type Node, replaceOperands } from './ast.ts';
import { fold } from './rewriteConstants.ts';
import {
  countAny,
  countThreshold,
  filterEnds,
  filterLength,
  filterMap,
  predicateCombination,
  sumMap,
} from './rewriteLoops.ts';
import { sumOfList, sumRange } from './rewriteSums.ts';
import { inList, inRange } from './rewriteIn.ts';

/**
 * What a node is replaced by; itself when the rule does not apply.
 *
 * expr rewrites formulas before it runs them (its optimizer package), and some of that can be seen in the result:
 * `sum([a, b, c])` becomes `a + (b + c)`, which rounds differently from adding one after the other; `x or true`
 * becomes `true`, whatever `x` would have done; and `count(xs, P) > 0` stops at the first hit, before an element that
 * would have been a fault. So the same is done here, in the same order.
 */
export type Rule = (node: Node) => Node;

const maxFolds = 1000;

export function rewrite(root: Node): Node {
  let node = walk(root, inList);
  for (let folds = 0; folds < maxFolds; folds += 1) {
    let changed = false;
    node = walk(node, (before) => {
      const after = fold(before);
      changed ||= after !== before;
      return after;
    });
    if (!changed) break;
  }
  for (const rule of afterFolding) node = walk(node, rule);
  return node;
}

const afterFolding: Rule[] = [
  inRange,
  filterMap,
  filterLength,
  filterEnds('last', -1n, 'findLast'),
  filterEnds('first', 0n, 'find'),
  predicateCombination,
  sumRange,
  sumOfList,
  sumMap,
  countAny,
  countThreshold,
];

/** Operands first. What a rule moved into a builtin's `map` is not visited again. */
function walk(node: Node, rule: Rule): Node {
  replaceOperands(node, (operand) => walk(operand, rule));
  return rule(node);
}
