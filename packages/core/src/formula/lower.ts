import type {
  BuiltinNode,
  ConditionalNode,
  LetNode,
  ListNode,
  MapNode,
  MemberNode,
  Node,
  PointerNode,
  SliceNode,
} from './ast.ts';
import { enterLoop, type LoopCall, loops } from './builtins/loops.ts';
import { builtins } from './builtins/table.ts';
import { fetch, slice } from './fetch.ts';
import type { Frame, Thunk } from './frame.ts';
import { lowerBinary, lowerInSet, lowerUnary } from './lowerOperators.ts';
import { Fault } from './problem.ts';
import { FormulaMap, isNil, typeName, type Value, withArticle } from './values.ts';

/** A checked and rewritten tree as one function. */
export interface Lowered {
  run: Thunk;
  /** How many variables a frame has to have room for. */
  variables: number;
}

export function lower(root: Node): Lowered {
  const lowering = new Lowering();
  const run = lowering.lower(root);
  return { run, variables: lowering.variables };
}

/** What `?.` gives where it gives up, as far as the end of its chain. */
const gaveUp = new FormulaMap(new Map());

class Lowering {
  variables = 0;
  private readonly declared: { name: string; slot: number }[] = [];
  private readonly floats = new Map<number, number>();

  lower = (node: Node): Thunk => {
    switch (node.type) {
      case 'literal':
        return this.literal(node.value);
      case 'name':
        return this.name(node.name);
      case 'unary':
        return lowerUnary(node, this.lower);
      case 'binary':
        return lowerBinary(node, this.lower);
      case 'inSet':
        return lowerInSet(node, this.lower);
      case 'chain': {
        const inner = this.lower(node.inner);
        return (frame) => {
          const value = inner(frame);
          return value === gaveUp || isNil(value) ? null : value;
        };
      }
      case 'member':
        return this.member(node);
      case 'slice':
        return this.slice(node);
      case 'builtin':
        return loops.has(node.name) ? this.loop(node) : this.builtin(node);
      case 'predicate':
        return this.lower(node.body);
      case 'pointer':
        return pointer(node);
      case 'let':
        return this.declaration(node);
      case 'sequence':
        return this.sequence(node.nodes);
      case 'conditional':
        return this.conditional(node);
      case 'list':
        return this.list(node);
      case 'map':
        return this.map(node);
      case 'call':
        throw new Error('a call of a value passed the checker');
    }
  };

  private literal(value: Value): Thunk {
    if (typeof value !== 'number') return () => value;
    // expr keeps a constant once, and takes 0.0 and -0.0 for the same one: the first that stands in the formula.
    const constant = this.floats.get(value) ?? value;
    this.floats.set(value, constant);
    return () => constant;
  }

  private name(name: string): Thunk {
    const variable = this.declared.findLast((one) => one.name === name);
    if (variable) {
      const { slot } = variable;
      return (frame) => frame.variables[slot] ?? null;
    }
    return name === '$env' ? (frame) => frame.environment() : (frame) => frame.value(name);
  }

  private member({ object, property, optional, at }: MemberNode): Thunk {
    if (
      object.type === 'name' &&
      object.name === '$env' &&
      property.type === 'literal' &&
      typeof property.value === 'string'
    ) {
      return this.name(property.value);
    }
    const base = this.lower(object);
    const key = this.lower(property);
    return (frame) => {
      const value = base(frame);
      if (value === gaveUp || (optional && isNil(value))) return gaveUp;
      const index = key(frame);
      frame.at = at;
      return fetch(value, index);
    };
  }

  private slice({ object, from, to, at }: SliceNode): Thunk {
    const base = this.lower(object);
    const end = to ? this.lower(to) : null;
    const start = from ? this.lower(from) : null;
    return (frame) => {
      const value = base(frame);
      const last = end?.(frame);
      const first = start?.(frame);
      frame.at = at;
      frame.look(value);
      return slice(value, first, last);
    };
  }

  private builtin({ name, args, at }: BuiltinNode): Thunk {
    const builtin = builtins.get(name);
    if (!builtin) throw new Error(`no function ${name}`);
    const thunks = args.map(this.lower);
    return (frame) => {
      const values = thunks.map((thunk) => thunk(frame));
      frame.at = at;
      for (const value of values) frame.look(value);
      return builtin.run(values, frame);
    };
  }

  private loop(node: BuiltinNode): Thunk {
    const loop = loops.get(node.name);
    const [collection, predicate, last] = node.args;
    if (!loop || !collection) throw new Error(`no loop ${node.name}`);
    const list = this.lower(collection);
    const further = last ? this.lower(last) : null;
    const each = predicate ? this.lower(predicate) : element;
    const map = node.map ? this.lower(node.map) : null;
    const { throws = false, at } = node;
    const threshold = node.threshold === undefined ? Number.POSITIVE_INFINITY : Number(node.threshold);
    return (frame) => {
      const value = list(frame);
      frame.at = at;
      const call: LoopCall = {
        frame,
        scope: enterLoop(loop.name, value, frame),
        each,
        further,
        map,
        throws,
        threshold,
      };
      const result = loop.run(call);
      frame.leave();
      return result;
    };
  }

  private declaration({ name, value, body }: LetNode): Thunk {
    const initial = this.lower(value);
    const slot = this.variables;
    this.variables += 1;
    this.declared.push({ name, slot });
    const rest = this.lower(body);
    this.declared.pop();
    return (frame) => {
      frame.variables[slot] = initial(frame);
      return rest(frame);
    };
  }

  private sequence(nodes: Node[]): Thunk {
    const thunks = nodes.map(this.lower);
    return (frame) => {
      let value: Value = null;
      for (const thunk of thunks) value = thunk(frame);
      return value;
    };
  }

  private conditional({ condition, yes, no }: ConditionalNode): Thunk {
    const [test, one, other] = [this.lower(condition), this.lower(yes), this.lower(no)];
    const { at } = condition;
    return (frame) => {
      const value = test(frame);
      if (value === true) return one(frame);
      if (value === false) return other(frame);
      frame.at = at;
      throw new Fault(`a condition is a bool, not ${withArticle(typeName(value))}`);
    };
  }

  private list({ nodes, at }: ListNode): Thunk {
    const thunks = nodes.map(this.lower);
    return (frame) => {
      const values = thunks.map((thunk) => thunk(frame));
      frame.at = at;
      frame.grow(values.length);
      return values;
    };
  }

  private map({ pairs, at }: MapNode): Thunk {
    const thunks = pairs.map(({ key, value }) => ({ key: this.lower(key), value: this.lower(value) }));
    return (frame) => {
      const entries = new Map<Value, Value>();
      for (const pair of thunks) {
        const key = pair.key(frame);
        const value = pair.value(frame);
        frame.at = at;
        if (typeof key !== 'string') throw new Fault(`a key of a map is a string, not ${withArticle(typeName(key))}`);
        // Of equal keys the first one counts.
        if (!entries.has(key)) entries.set(key, value);
      }
      frame.grow(entries.size);
      return new FormulaMap(entries);
    };
  }
}

/** `#` */
function element({ scope }: Frame): Value {
  return scope?.items[scope.index] ?? null;
}

function pointer({ name, at }: PointerNode): Thunk {
  switch (name) {
    case 'index':
      return ({ scope }) => BigInt(scope?.index ?? 0);
    case 'acc':
      return ({ scope }) => scope?.accumulated ?? null;
    default:
      return (frame) => {
        const value = frame.scope?.items[frame.scope.index];
        if (value !== undefined) return value;
        // Only where the first value of a reduce within a loop uses `#`, which then means the inner list.
        frame.at = at;
        throw new Fault('the list is empty');
      };
  }
}
