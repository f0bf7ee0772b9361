import { z } from 'zod';
import { cronProblem } from '../units/cron.ts';
import { readWith } from './text.ts';

/** A cron expression of five fields, with single spaces on the way out. */
export function cronField() {
  return z.string().transform(
    readWith<string>((text) => {
      const problem = cronProblem(text);
      return problem === null ? { value: text.trim().replace(/\s+/g, ' ') } : { error: problem };
    }, 'invalid-cron'),
  );
}
