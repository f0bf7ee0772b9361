import { maxSteps, memoryBudget } from './limits.ts';
import { Fault } from './problem.ts';
import { FormulaMap, isList, type List, type Value } from './values.ts';

/** A node made ready to be evaluated. */
export type Thunk = (frame: Frame) => Value;

/** Where a loop over a list stands. */
export interface Scope {
  items: List;
  index: number;
  /** What `#acc` is. */
  accumulated: Value;
  outer: Scope | null;
}

/** One evaluation: the values it reads, its variables, the loop it is in, and what it has used of its bounds. */
export class Frame {
  readonly variables: Value[];
  scope: Scope | null = null;
  /** Offset of what is evaluated now, for the place of a fault. */
  at = 0;
  private readonly values: Readonly<Record<string, number | null>>;
  private elements = 0;
  private steps = 0;

  constructor(values: Readonly<Record<string, number | null>>, variables: number) {
    this.values = values;
    this.variables = variables === 0 ? none : new Array<Value>(variables).fill(null);
  }

  /** The value of a name; nil where there is none. */
  value(name: string): Value {
    return Object.hasOwn(this.values, name) ? (this.values[name] ?? null) : null;
  }

  /** All values: `$env`. */
  environment(): FormulaMap {
    const entries = Object.entries(this.values);
    this.step(entries.length);
    return new FormulaMap(new Map(entries));
  }

  /** Accounts for a new list (expr's memory budget, which is never given back). */
  grow(elements: number): void {
    this.elements += elements;
    if (this.elements >= memoryBudget) throw new Fault(`lists of more than ${memoryBudget} elements in all`);
  }

  /** Accounts for work: a round of a loop, an element looked at. */
  step(steps = 1): void {
    this.steps += steps;
    if (this.steps > maxSteps) throw new Fault(`more than ${maxSteps} steps of work`);
  }

  /** Accounts for looking through a value. */
  look(value: Value): void {
    if (typeof value === 'string') this.step(value.length >> 4);
    else if (isList(value)) this.step(value.length);
    else if (value instanceof FormulaMap) this.step(value.entries.size);
  }

  enter(items: List): Scope {
    this.scope = { items, index: 0, accumulated: null, outer: this.scope };
    return this.scope;
  }

  leave(): void {
    this.scope = this.scope?.outer ?? null;
  }
}

const none: Value[] = [];
