import { describe, expect, it } from 'vitest';
import { readOptions, UsageError } from './options.ts';

describe('readOptions', () => {
  it('has defaults for all', () => {
    expect(readOptions([])).toMatchObject({ ask: null, times: 1, small: false, answerer: 'llm', partitions: 12 });
    expect(readOptions(['--help'])).toBeNull();
  });

  it('reads a burst', () => {
    const args = ['--ask', 'why?', '--times', '20', '--bootstrap', 'a:9092,b:9092', '--answerer', 'echo'];
    expect(readOptions(args)).toMatchObject({ ask: 'why?', times: 20, bootstrapServers: 'a:9092,b:9092' });
  });

  it.each([
    [['--times', '0'], '--times takes a whole number from 1'],
    [['--times', '1.5'], 'found "1.5"'],
    [['--answerer', 'parrot'], '--answerer is llm or echo, found "parrot"'],
    [['--ask', ' '], '--ask needs a question'],
    [['--ham'], 'ham'],
  ])('refuses %j', (args, message) => {
    expect(() => readOptions(args)).toThrow(UsageError);
    expect(() => readOptions(args)).toThrow(message);
  });
});
