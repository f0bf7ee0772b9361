import { describe, expect, it } from 'vitest';
import { SourceError } from '../contract/errors.ts';
import { PassingError } from './errors.ts';
import type { GroupOffsets, Question } from './offsets.ts';
import { Questions } from './questions.ts';

const never = new AbortController().signal;
const offsets = (latest: number | SourceError): GroupOffsets =>
  new Map([['orders', [{ partition: 0, committed: 0, latest }]]]);

function gathering(answer: (question: Question, round: number) => GroupOffsets | SourceError) {
  const rounds: Question[][] = [];
  const questions = new Questions(
    {
      read: async (asked) => {
        rounds.push([...asked]);
        return asked.map((question) => answer(question, rounds.length));
      },
    },
    'kafka:9092',
  );
  return { questions, rounds };
}

describe('Questions', () => {
  it('asks what many ask at once in one round, and the same only once', async () => {
    const { questions, rounds } = gathering(({ group }) => offsets(group.length));
    const asked = ['a', 'bb', 'a', 'ccc'].map((group) => questions.ask({ group, topics: ['orders'] }, never));
    const answers = await Promise.all(asked);
    expect(answers.map((answer) => answer.get('orders'))).toEqual([1, 2, 1, 3].map((n) => offsets(n).get('orders')));
    expect(rounds.map((round) => round.map(({ group }) => group))).toEqual([['a', 'bb', 'ccc']]);
  });

  it('looks again for what has moved, and keeps nobody else waiting for it', async () => {
    const moving = new PassingError('unreachable', 'is moving');
    const { questions, rounds } = gathering(({ group }, round) => offsets(group === 'a' && round < 3 ? moving : 7));
    const a = questions.ask({ group: 'a', topics: ['orders'] }, never);
    await questions.ask({ group: 'b', topics: ['orders'] }, never);
    expect(rounds).toHaveLength(1);
    expect(await a).toEqual(offsets(7));
    expect(rounds.map((round) => round.map(({ group }) => group))).toEqual([['a', 'b'], ['a'], ['a']]);
  });

  it('gives up after three attempts', async () => {
    const { questions, rounds } = gathering(() => new PassingError('unreachable', 'has no coordinator'));
    await expect(questions.ask({ group: 'a', topics: null }, never)).rejects.toThrow('has no coordinator');
    expect(rounds).toHaveLength(3);
  });

  it('does not ask again what will not change', async () => {
    const { questions, rounds } = gathering(() => new SourceError('unauthorized', 'refused'));
    await expect(questions.ask({ group: 'a', topics: null }, never)).rejects.toThrow('refused');
    expect(rounds).toHaveLength(1);
  });

  it('ends the wait when its time is up', async () => {
    const questions = new Questions({ read: () => new Promise(() => {}) }, 'kafka:9092');
    const time = new AbortController();
    const asked = questions.ask({ group: 'a', topics: null }, time.signal);
    time.abort();
    await expect(asked).rejects.toThrow(expect.objectContaining({ code: 'timeout' }));
  });

  it('makes no further attempt once it is closed', async () => {
    const { questions, rounds } = gathering(() => new PassingError('unreachable', 'has no coordinator'));
    const asked = questions.ask({ group: 'a', topics: null }, never);
    questions.close();
    await expect(asked).rejects.toThrow('has no coordinator');
    expect(rounds).toHaveLength(1);
  });
});
