import { describe, expect, it } from 'vitest';
import type { AnswerMessage } from './answer.ts';
import { AnswerWriter } from './answerWriter.ts';

const base = { id: 'a', attempt: '1', by: 'one' };

describe('AnswerWriter', () => {
  it('joins what comes while a message is on its way', async () => {
    const written: AnswerMessage[] = [];
    const first = Promise.withResolvers<void>();
    const writer = new AnswerWriter(async (message) => {
      written.push(message);
      if (written.length === 1) await first.promise;
    }, base);
    for (const piece of ['one ', 'two ', 'three']) writer.add(piece);
    const finished = writer.finish();
    expect(written.map(({ text }) => text)).toEqual(['one ']);
    first.resolve();
    await finished;
    expect(written.map(({ text, done }) => [text, done])).toEqual([
      ['one ', false],
      ['two three', false],
      ['one two three', true],
    ]);
  });

  it('does not call an answer whole of which a piece was not written', async () => {
    const written: AnswerMessage[] = [];
    const writer = new AnswerWriter(async (message) => {
      if (!message.done) throw new Error('the broker is away');
      written.push(message);
    }, base);
    writer.add('one');
    await expect(writer.finish()).rejects.toThrow('the broker is away');
    expect(written).toEqual([]);
  });

  it('leaves nothing behind when it is abandoned', async () => {
    const written: AnswerMessage[] = [];
    const first = Promise.withResolvers<void>();
    const writer = new AnswerWriter(async (message) => {
      await first.promise;
      written.push(message);
    }, base);
    writer.add('one ');
    writer.add('two');
    const abandoned = writer.abandon();
    first.resolve();
    await abandoned;
    expect(written.map(({ text }) => text)).toEqual(['one ']);
  });
});
