import type { BinaryOperator } from './ast.ts';

/** How tightly each operator binds (expr's table, parser/operator/operator.go). All group to the left but `**`. */
const strengths: Record<string, { operator: BinaryOperator | '|'; strength: number }> = {
  '|': { operator: '|', strength: 0 },
  or: { operator: 'or', strength: 10 },
  '||': { operator: 'or', strength: 10 },
  and: { operator: 'and', strength: 15 },
  '&&': { operator: 'and', strength: 15 },
  '==': { operator: '==', strength: 20 },
  '!=': { operator: '!=', strength: 20 },
  '<': { operator: '<', strength: 20 },
  '>': { operator: '>', strength: 20 },
  '>=': { operator: '>=', strength: 20 },
  '<=': { operator: '<=', strength: 20 },
  in: { operator: 'in', strength: 20 },
  matches: { operator: 'matches', strength: 20 },
  contains: { operator: 'contains', strength: 20 },
  startsWith: { operator: 'startsWith', strength: 20 },
  endsWith: { operator: 'endsWith', strength: 20 },
  '..': { operator: '..', strength: 25 },
  '+': { operator: '+', strength: 30 },
  '-': { operator: '-', strength: 30 },
  '*': { operator: '*', strength: 60 },
  '/': { operator: '/', strength: 60 },
  '%': { operator: '%', strength: 60 },
  '**': { operator: '**', strength: 100 },
  '^': { operator: '**', strength: 100 },
  '??': { operator: '??', strength: 500 },
};

const binaries = new Map(Object.entries(strengths));

export function binaryOperator(text: string): { operator: BinaryOperator | '|'; strength: number } | undefined {
  return binaries.get(text);
}

const unaries = new Map<string, { operator: 'not' | '+' | '-'; strength: number }>([
  ['not', { operator: 'not', strength: 50 }],
  ['!', { operator: 'not', strength: 50 }],
  ['-', { operator: '-', strength: 90 }],
  ['+', { operator: '+', strength: 90 }],
]);

export function unaryOperator(text: string): { operator: 'not' | '+' | '-'; strength: number } | undefined {
  return unaries.get(text);
}

/** `not` may stand before these: `a not in b`. */
export const negatable = new Set(['in', 'matches', 'contains', 'startsWith', 'endsWith']);

/** These may be strung together: `1 < a <= 5`. */
export const orderings = new Set(['<', '>', '<=', '>=']);
