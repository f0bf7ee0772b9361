import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BadTask, encodeTask, parseTask, type Task } from './task.ts';

const task: Task = {
  id: 'a1',
  name: 'cat.png',
  input: 'a1/original.png',
  output: 'a1/result.png',
  prompt: '',
  submittedAt: 1_700_000_000_000,
};
const read = (value: unknown) => parseTask(Buffer.from(JSON.stringify(value)));

describe('a message', () => {
  it('comes back as it was sent, also with names of any script', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.string({ unit: 'binary', maxLength: 200 }),
        (name, prompt) => {
          expect(parseTask(encodeTask({ ...task, name, prompt }))).toEqual({ ...task, name, prompt });
        },
      ),
    );
  });

  it('needs no more than an id, an output and a picture or a prompt', () => {
    expect(read({ id: 'b', output: 'b/out.png', prompt: 'a lighthouse' })).toEqual({
      id: 'b',
      name: 'b',
      input: null,
      output: 'b/out.png',
      prompt: 'a lighthouse',
      submittedAt: 0,
    });
  });

  it.each<[string, unknown, RegExp]>([
    ['a list', ['a'], /neither an input nor a prompt/],
    ['null', null, /no JSON object/],
    ['no id', { ...task, id: undefined }, /id must be text, found nothing/],
    ['an id that is a path', { ...task, id: '../x' }, /id must be letters/],
    ['neither picture nor prompt', { ...task, input: null }, /neither an input nor a prompt/],
    ['a key that leads out', { ...task, input: '../../etc/passwd' }, /input must be a key/],
    ['a key that is absolute', { ...task, output: '/etc/passwd' }, /output must be a key/],
    ['a key with a hidden step', { ...task, output: 'a/../../b' }, /output must be a key/],
    ['a time that is no number', { ...task, submittedAt: 'now' }, /submittedAt must be a number/],
    ['a prompt without end', { ...task, prompt: 'x'.repeat(2001) }, /prompt is longer than 2000/],
  ])('with %s is refused and says why', (_name, value, why) => {
    expect(() => read(value)).toThrow(BadTask);
    expect(() => read(value)).toThrow(why);
  });

  it('of any bytes is a task or a BadTask', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          parseTask(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(BadTask);
        }
      }),
    );
  });
});
