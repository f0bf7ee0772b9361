import { Fault } from './problem.ts';

/**
 * The part of Go's regular expressions that says the same in every dialect: characters, `.`, classes, groups, `|`,
 * `*`, `+`, `?`, `{n,m}`, `^`, `$`, `\b`. Matching takes time in proportion to text × pattern, whatever the pattern:
 * all ways are followed at once.
 */
export interface Regex {
  steps: Step[];
}

export type Step =
  | { type: 'match' }
  | { type: 'character'; accepts: (code: number) => boolean; next: number }
  | { type: 'assertion'; assertion: Assertion; next: number }
  | { type: 'split'; next: number; other: number };

export type Assertion = 'start' | 'end' | 'boundary' | 'noBoundary';

const maxSteps = 2_000;
const maxRepeats = 1_000;

/** What is wrong with a pattern; null when it can be used. */
export function regexProblem(pattern: string): string | null {
  try {
    compileRegex(pattern);
    return null;
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  }
}

export function compileRegex(pattern: string): Regex {
  return new RegexCompiler(pattern).compile();
}

type Part =
  | { type: 'character'; accepts: (code: number) => boolean }
  | { type: 'assertion'; assertion: Assertion }
  | { type: 'sequence' | 'choice'; parts: Part[] }
  | { type: 'repeat'; part: Part; least: number; most: number };

class RegexCompiler {
  private readonly characters: string[];
  private readonly steps: Step[] = [];
  private at = 0;
  private depth = 0;

  constructor(pattern: string) {
    this.characters = [...pattern];
  }

  compile(): Regex {
    const part = this.choice();
    if (this.at < this.characters.length) throw this.problem('a ")" without its "("');
    this.steps.push({ type: 'match' });
    // Built from the end: each part knows the step that follows it.
    const start = this.emit(part, 0);
    return { steps: [...this.steps, { type: 'split', next: start, other: start }] };
  }

  private problem(what: string): Fault {
    return new Fault(`in the pattern ${JSON.stringify(this.characters.join(''))}: ${what}`);
  }

  private take(character: string): boolean {
    if (this.characters[this.at] !== character) return false;
    this.at += 1;
    return true;
  }

  private choice(): Part {
    const parts = [this.sequence()];
    while (this.take('|')) parts.push(this.sequence());
    return { type: 'choice', parts };
  }

  private sequence(): Part {
    const parts: Part[] = [];
    while (this.at < this.characters.length && !['|', ')'].includes(this.characters[this.at] ?? ''))
      parts.push(this.repeated());
    return { type: 'sequence', parts };
  }

  private repeated(): Part {
    const part = this.atom();
    const bounds = this.repetition();
    if (!bounds) return part;
    // A lazy repetition finds the same: only whether there is a match counts.
    this.take('?');
    const again = this.at;
    if (this.repetition()) {
      this.at = again;
      throw this.problem('a repetition of a repetition');
    }
    const [least, most] = bounds;
    if (least > maxRepeats || (most > maxRepeats && most !== Number.POSITIVE_INFINITY) || least > most) {
      throw this.problem(`repetitions go up to ${maxRepeats}, from fewer to more`);
    }
    return { type: 'repeat', part, least, most };
  }

  private repetition(): [least: number, most: number] | null {
    if (this.take('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.take('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.take('?')) return [0, 1];
    const match = /^\{(\d{1,6})(,(\d{0,6}))?\}/.exec(this.characters.slice(this.at, this.at + 20).join(''));
    if (!match) return null;
    this.at += match[0].length;
    const least = Number(match[1]);
    return [least, match[2] === undefined ? least : match[3] === '' ? Number.POSITIVE_INFINITY : Number(match[3])];
  }

  private atom(): Part {
    const character = this.characters[this.at] ?? '';
    if (['*', '+', '?'].includes(character)) throw this.problem(`"${character}" has nothing to repeat`);
    this.at += 1;
    switch (character) {
      case '.':
        return { type: 'character', accepts: (code) => code !== 10 };
      case '^':
        return { type: 'assertion', assertion: 'start' };
      case '$':
        return { type: 'assertion', assertion: 'end' };
      case '(':
        return this.group();
      case '[':
        return { type: 'character', accepts: this.characterClass() };
      case '\\':
        return this.escape();
      default:
        return only(character);
    }
  }

  private group(): Part {
    this.depth += 1;
    if (this.depth > 100) throw this.problem('groups more than 100 deep');
    if (this.take('?') && !this.take(':')) throw this.problem('of the groups with "?" only (?: ) is supported');
    const part = this.choice();
    if (!this.take(')')) throw this.problem('a "(" without its ")"');
    this.depth -= 1;
    return part;
  }

  private escape(): Part {
    const assertion = ({ b: 'boundary', B: 'noBoundary', A: 'start', z: 'end' } as const)[
      this.characters[this.at] ?? ''
    ];
    if (assertion === undefined) return { type: 'character', accepts: this.escapedCharacters() };
    this.at += 1;
    return { type: 'assertion', assertion };
  }

  private escapedCharacters(): (code: number) => boolean {
    const character = this.characters[this.at] ?? '';
    this.at += 1;
    const known = classes[character] ?? controls[character];
    if (known) return known;
    if (/^[!-/:-@[-`{-~]$/.test(character)) return is(character);
    throw this.problem(character === '' ? 'a "\\" at the end' : `"\\${character}" is not supported`);
  }

  private characterClass(): (code: number) => boolean {
    const isNegated = this.take('^');
    const members: ((code: number) => boolean)[] = [];
    for (let isFirst = true; isFirst || this.characters[this.at] !== ']'; isFirst = false) {
      if (this.at >= this.characters.length) throw this.problem('a "[" without its "]"');
      members.push(this.classMember());
    }
    this.at += 1;
    return (code) => members.some((accepts) => accepts(code)) !== isNegated;
  }

  private classMember(): (code: number) => boolean {
    const character = this.characters[this.at] ?? '';
    if (character === '[' && this.characters[this.at + 1] === ':')
      throw this.problem('classes such as [:alpha:] are not supported');
    this.at += 1;
    const isEscaped = character === '\\';
    if (isEscaped && classes[this.characters[this.at] ?? '']) return this.escapedCharacters();
    const accepts = isEscaped ? this.escapedCharacters() : is(character);
    const isRange =
      this.characters[this.at] === '-' && this.at + 1 < this.characters.length && this.characters[this.at + 1] !== ']';
    if (!isRange) return accepts;
    this.at += 1;
    const last = this.characters[this.at] ?? '';
    if (isEscaped || last === '\\') throw this.problem('a range from or to an escaped character is not supported');
    this.at += 1;
    const [from, to] = [codeOf(character), codeOf(last)];
    if (from > to) throw this.problem(`the range ${character}-${last} is empty`);
    return (code) => code >= from && code <= to;
  }

  private add(step: Step): number {
    if (this.steps.length >= maxSteps) throw this.problem('the pattern is too long');
    return this.steps.push(step) - 1;
  }

  /** The first step of a part that goes on with `next`. */
  private emit(part: Part, next: number): number {
    switch (part.type) {
      case 'character':
        return this.add({ type: 'character', accepts: part.accepts, next });
      case 'assertion':
        return this.add({ type: 'assertion', assertion: part.assertion, next });
      case 'sequence':
        return part.parts.reduceRight((following, each) => this.emit(each, following), next);
      case 'choice': {
        const starts = part.parts.map((each) => this.emit(each, next));
        return starts.reduce((one, other) => this.add({ type: 'split', next: one, other }));
      }
      case 'repeat':
        return this.emitRepeat(part.part, part.least, part.most, next);
    }
  }

  private emitRepeat(part: Part, least: number, most: number, next: number): number {
    let start = next;
    if (most === Number.POSITIVE_INFINITY) {
      const loop: Step = { type: 'split', next, other: next };
      start = this.add(loop);
      loop.other = this.emit(part, start);
    } else {
      for (let times = least; times < most; times += 1)
        start = this.add({ type: 'split', next, other: this.emit(part, start) });
    }
    for (let times = 0; times < least; times += 1) start = this.emit(part, start);
    return start;
  }
}

function codeOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}

function is(character: string): (code: number) => boolean {
  const wanted = codeOf(character);
  return (code) => code === wanted;
}

function only(character: string): Part {
  return { type: 'character', accepts: is(character) };
}

const isDigit = (code: number) => code >= 48 && code <= 57;
export const isWord = (code: number) =>
  isDigit(code) || code === 95 || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
const isSpace = (code: number) => code === 32 || code === 9 || code === 10 || code === 12 || code === 13;

const classes: Record<string, (code: number) => boolean> = {
  d: isDigit,
  D: (code) => !isDigit(code),
  w: isWord,
  W: (code) => !isWord(code),
  s: isSpace,
  S: (code) => !isSpace(code),
};

const controls: Record<string, (code: number) => boolean> = {
  a: is('\x07'),
  f: is('\f'),
  n: is('\n'),
  r: is('\r'),
  t: is('\t'),
  v: is('\v'),
};
