import { parseCount, textFlag } from '../commands/flags.ts';
import type { ModelFlags } from '../rehearse/model.ts';

/** What `tune` and `advise` have in common with `rehearse`: the load, the model of the world and the machine. */
export interface RehearsalFlags extends ModelFlags {
  trace?: readonly string[];
  first?: string;
  every?: number;
  price?: string;
  seed?: number;
  threads?: number;
}

export function countFlag(placeholder: string, brief: string, least = 1) {
  return {
    kind: 'parsed',
    parse: (input: string) => {
      const count = parseCount(input);
      if (count < least) throw new Error(`expected a whole number from ${least}, not "${input}"`);
      return count;
    },
    optional: true,
    placeholder,
    brief,
  } as const;
}

/** A share such as 0.99 or 99%, above 0 and, unless 1 is allowed, below it. */
export function parseShare(input: string): number {
  const match = /^(\d+(?:\.\d+)?)(\s*%?)$/.exec(input.trim());
  const share = match ? Number(match[1]) / (match[2]?.includes('%') ? 100 : 1) : Number.NaN;
  if (!(share > 0 && share <= 1)) throw new Error(`expected a share such as 0.99 or 99%, not "${input}"`);
  return share;
}

export const traceFlag = {
  kind: 'parsed',
  parse: String,
  variadic: true,
  optional: true,
  placeholder: 'FILE',
  brief: 'Recorded load, as `ebb rehearse` takes it; options behind ?',
} as const;

export const rehearsalFlags = {
  first: textFlag('TIME', 'Only the first part of the trace: 12h, 5d'),
  every: countFlag('N', 'Only one request of N of the trace'),
  model: textFlag('FILE', 'YAML or JSON with the model of the world, as `ebb rehearse` takes it'),
  concurrency: countFlag('N', 'Requests that a replica works on at once (default: of the document, else 8)'),
  service: {
    kind: 'parsed',
    parse: String,
    variadic: true,
    optional: true,
    placeholder: 'TIME',
    brief: 'Length of a service: 2.2s, or 200ms+20ms a token (default: 200ms+20ms,2.2s); CLASS=TIME for one class',
  },
  onTime: textFlag('TIME', 'A request is on time when its service begins within this (default: 5s)'),
  share: {
    kind: 'parsed',
    parse: parseShare,
    optional: true,
    placeholder: 'SHARE',
    brief: 'Share of the requests that must be on time (default: 0.99)',
  },
  price: textFlag('MONEY', 'An hour of a replica costs this (default: pricePerHour of the document)'),
  seed: countFlag('N', 'Seed of all that is drawn (default: 1)', 0),
  threads: countFlag('N', 'Rehearsals at once (default: the cores of this machine)'),
} as const;
