import { nearest } from '@ebb/documents';
import type {
  BuiltinNode,
  ConditionalNode,
  MapNode,
  MemberNode,
  NameNode,
  Node,
  PointerNode,
  SliceNode,
} from './ast.ts';
import { Mismatch } from './builtins/builtin.ts';
import { loops } from './builtins/loops.ts';
import { builtins, unsupportedFunctions } from './builtins/table.ts';
import { binaryNature, unaryNature } from './checkOperators.ts';
import * as natures from './natures.ts';
import { isAssignable, isUnknown, listOf, type Nature, natureName, unknown } from './natures.ts';
import { regexProblem } from './regex.ts';
import { withArticle } from './values.ts';

/** Something the checker found, at an offset of the formula. */
export interface Finding {
  message: string;
  at: number;
  allowed?: string[];
  suggestion?: string | undefined;
}

/**
 * Finds the type of every node and writes it there, by expr's rules (checker/checker.go, reworded): every name must be
 * known, every operator and function must be able to work on the types it is given as far as they are known.
 */
export class Checker {
  readonly findings: Finding[] = [];
  private readonly names: ReadonlySet<string>;
  private readonly variables: { name: string; nature: Nature }[] = [];
  private readonly scopes: { list: Nature; pointers: readonly string[] }[] = [];

  constructor(names: ReadonlySet<string>) {
    this.names = names;
  }

  check(node: Node): Nature {
    node.nature = this.natureOf(node);
    return node.nature;
  }

  private natureOf(node: Node): Nature {
    switch (node.type) {
      case 'literal':
        return natures.natureOf(node.value);
      case 'name':
        return this.name(node);
      case 'unary':
        return this.settle(unaryNature(node.operator, this.check(node.operand)), node.at);
      case 'binary': {
        const [left, right] = [this.check(node.left), this.check(node.right)];
        if (node.operator === 'matches' && node.right.type === 'literal' && typeof node.right.value === 'string') {
          const problem = regexProblem(node.right.value);
          if (problem !== null) return this.report(problem, node.right.at);
        }
        return this.settle(binaryNature(node.operator, left, right), node.at);
      }
      case 'chain':
        return this.check(node.inner);
      case 'member':
        return this.member(node);
      case 'slice':
        return this.slice(node);
      case 'call':
        return this.call(node.callee, node.args, node.at);
      case 'builtin':
        return loops.has(node.name) ? this.loop(node) : this.builtin(node);
      case 'predicate':
        return this.check(node.body);
      case 'pointer':
        return this.pointer(node);
      case 'let':
        return this.declaration(node.name, node.value, node.body, node.at);
      case 'sequence':
        return node.nodes.map((part) => this.check(part)).at(-1) ?? unknown;
      case 'conditional':
        return this.conditional(node);
      case 'list':
        return this.list(node.nodes);
      case 'map':
        return this.map(node);
      case 'inSet':
        throw new Error('a rewritten tree is not checked again');
    }
  }

  /** Notes what is wrong and goes on as if nothing were known there. */
  private report(message: string, at: number, hints: Partial<Finding> = {}): Nature {
    this.findings.push({ message, at, ...hints });
    return unknown;
  }

  private settle(nature: Nature | string, at: number): Nature {
    return typeof nature === 'string' ? this.report(nature, at) : nature;
  }

  private name(node: NameNode): Nature {
    const variable = this.variables.findLast(({ name }) => name === node.name);
    if (variable) return variable.nature;
    if (node.name === '$env') return unknown;
    return this.valueNamed(node.name, node.at);
  }

  private valueNamed(name: string, at: number): Nature {
    if (this.names.has(name)) return natures.float;
    if (isFunction(name)) return this.report(`${name} is a function: ${name}(…)`, at);
    // `my-queue` reads as a subtraction.
    const dashed = [...this.names].find(
      (other) => /[^\p{L}\p{Nd}_$]/u.test(other) && other.split(/[^\p{L}\p{Nd}_$]/u).includes(name),
    );
    const known = [...this.names, ...this.variables.map((variable) => variable.name)];
    const hint = dashed === undefined ? '' : `; a trigger whose name is not a word is written $env["${dashed}"]`;
    return this.report(`unknown name "${name}"${hint}`, at, { allowed: known, suggestion: nearest(name, known) });
  }

  private member(node: MemberNode): Nature {
    const { object, property } = node;
    const field = property.type === 'literal' && typeof property.value === 'string' ? property.value : null;
    if (object.type === 'name' && object.name === '$env') {
      if (field === null) this.check(property);
      else if (!node.optional || this.names.has(field)) return this.valueNamed(field, property.at);
      return unknown;
    }
    const base = this.check(object);
    const key = this.check(property);
    if (isUnknown(base)) return unknown;
    if (base.kind === 'map') {
      if (base.anyKey || key.kind === 'string' || isUnknown(key)) return base.element;
      return this.report(`a key of this map is a string, not ${withArticle(natureName(key))}`, property.at);
    }
    if (base.kind === 'list') {
      if (key.kind === 'int' || isUnknown(key)) return base.element;
      const hint = key.kind === 'float' ? '; int(…) makes an int of a float' : '';
      return this.report(`an index of a list is an int, not ${withArticle(natureName(key))}${hint}`, property.at);
    }
    const what = field === null ? 'no elements' : `no field "${field}"`;
    return this.report(`${withArticle(natureName(base))} has ${what}`, node.at);
  }

  private slice({ object, from, to, at }: SliceNode): Nature {
    const base = this.check(object);
    for (const index of [from, to]) {
      if (!index) continue;
      const nature = this.check(index);
      if (nature.kind === 'int' || isUnknown(nature)) continue;
      this.report(`an index is an int, not ${withArticle(natureName(nature))}`, index.at);
    }
    if (isUnknown(base)) return unknown;
    if (base.kind === 'list' || base.kind === 'string') return base;
    return this.report(`${withArticle(natureName(base))} cannot be sliced`, at);
  }

  private call(callee: Node, args: Node[], at: number): Nature {
    for (const arg of args) this.check(arg);
    if (callee.type !== 'name') {
      this.check(callee);
      return this.report('only functions can be called, and no value has any', at);
    }
    const { name } = callee;
    if (this.names.has(name) || this.variables.some((variable) => variable.name === name)) {
      return this.report(
        `${name} is a value here, not a function${isFunction(name) ? `; the function is ::${name}` : ''}`,
        at,
      );
    }
    return this.report(`unknown function "${name}"`, at, {
      suggestion: nearest(name, [...builtins.keys(), ...loops.keys()]),
    });
  }

  private builtin(node: BuiltinNode): Nature {
    const args = node.args.map((arg) => this.check(arg));
    const [object, property] = node.args;
    if (node.name === 'get' && object?.type === 'name' && object.name === '$env' && property?.type === 'literal') {
      return this.names.has(String(property.value)) ? natures.float : unknown;
    }
    const result = builtins.get(node.name)?.check(args) ?? unknown;
    if (!(result instanceof Mismatch)) return result;
    return this.report(result.message, node.args[result.argument ?? -1]?.at ?? node.at);
  }

  private loop(node: BuiltinNode): Nature {
    const loop = loops.get(node.name);
    const [collection, predicate, further] = node.args;
    if (!loop || !collection) throw new Error(`${node.name} without a list`);
    const list = this.check(collection);
    if (list.kind !== 'list' && !isUnknown(list)) {
      this.report(`${node.name} takes a list, not ${withArticle(natureName(list))}`, collection.at);
    }
    let result: Nature | null = null;
    if (predicate) {
      this.scopes.push({ list, pointers: loop.pointers });
      result = this.check(predicate);
      this.scopes.pop();
      if (result.kind === 'nil') this.report(`the predicate of ${node.name} gives nothing but nil`, predicate.at);
      else if (loop.isTest && result.kind !== 'bool' && !isUnknown(result)) {
        this.report(`the predicate of ${node.name} gives ${withArticle(natureName(result))}, not a bool`, predicate.at);
      }
    }
    if (further) {
      const nature = this.check(further);
      if (loop.further === 'order' && nature.kind !== 'string' && !isUnknown(nature)) {
        this.report(`the order is "asc" or "desc", not ${withArticle(natureName(nature))}`, further.at);
      }
    }
    return loop.nature(list, result);
  }

  private pointer(node: PointerNode): Nature {
    const scope = this.scopes.at(-1);
    if (!scope) return this.report('"#" means the element of a list, inside a function such as filter', node.at);
    if (node.name === '') return scope.list.kind === 'list' ? scope.list.element : unknown;
    if (scope.pointers.includes(node.name)) return node.name === 'index' ? natures.int : unknown;
    const allowed = ['#', ...scope.pointers.map((name) => `#${name}`)];
    return this.report(`#${node.name} has no meaning here`, node.at, {
      allowed,
      suggestion: nearest(`#${node.name}`, allowed),
    });
  }

  private declaration(name: string, value: Node, body: Node, at: number): Nature {
    if (name === '$env' || this.names.has(name))
      this.report(`${name} is a value already; the variable needs another name`, at);
    else if (isFunction(name)) this.report(`${name} is a function; the variable needs another name`, at);
    else if (this.variables.some((variable) => variable.name === name)) this.report(`${name} is declared twice`, at);
    this.variables.push({ name, nature: this.check(value) });
    const nature = this.check(body);
    this.variables.pop();
    return nature;
  }

  private conditional({ condition, yes, no }: ConditionalNode): Nature {
    const test = this.check(condition);
    if (test.kind !== 'bool' && !isUnknown(test)) {
      this.report(`a condition is a bool, not ${withArticle(natureName(test))}`, condition.at);
    }
    const [one, other] = [this.check(yes), this.check(no)];
    if (one.kind === 'nil') return other;
    if (other.kind === 'nil') return one;
    if (!isAssignable(one, other)) return unknown;
    if (one.kind === 'list' && other.kind === 'list' && !isSameElement(one.element, other.element))
      return natures.anyList;
    return one;
  }

  /** A list of one kind of element, of which the last tells the type; otherwise of any. */
  private list(nodes: Node[]): Nature {
    const elements = nodes.map((node) => this.check(node));
    const isUniform = elements.every((element, index) =>
      natures.isSameKind(element, elements[Math.max(0, index - 1)] ?? element),
    );
    return isUniform ? listOf(elements.at(-1) ?? unknown) : natures.anyList;
  }

  private map(node: MapNode): Nature {
    for (const { key, value } of node.pairs) {
      const nature = this.check(key);
      if (nature.kind !== 'string' && !isUnknown(nature)) {
        this.report(`a key of a map is a string, not ${withArticle(natureName(nature))}`, key.at);
      }
      this.check(value);
    }
    return natures.mapOfAny;
  }
}

function isSameElement(one: Nature, other: Nature): boolean {
  return isAssignable(one, other) && isAssignable(other, one);
}

function isFunction(name: string): boolean {
  return builtins.has(name) || loops.has(name) || unsupportedFunctions.has(name);
}
