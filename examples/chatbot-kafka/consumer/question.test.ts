import { describe, expect, it } from 'vitest';
import { longestQuestion, readQuestion } from './question.ts';

const message = (value: string | undefined, key?: string) =>
  ({ key, value, topic: 'questions', partition: 3, offset: 14n }) as const;

describe('readQuestion', () => {
  it('takes the field question of JSON, and the id from the key, the field or the place', () => {
    expect(readQuestion(message('{"question": " why? ", "id": "b"}', 'a'))).toEqual({ id: 'a', text: 'why?' });
    expect(readQuestion(message('{"question": "why?", "id": "b"}'))).toEqual({ id: 'b', text: 'why?' });
    expect(readQuestion(message('{"question": "why?"}'))).toEqual({ id: 'questions-3-14', text: 'why?' });
  });

  it('takes plain words as they are', () => {
    expect(readQuestion(message('warum ist der Himmel blau? 🙂'))).toEqual({
      id: 'questions-3-14',
      text: 'warum ist der Himmel blau? 🙂',
    });
  });

  it.each([
    [undefined, 'the question is empty'],
    ['  ', 'the question is empty'],
    ['{"question": ""}', 'the question is empty'],
    ['{"question": 7}', 'the message has no text in its field "question"'],
    ['{"ask": "why?"}', 'the message has no text in its field "question"'],
    ['{broken', 'the message is no valid JSON'],
    ['x'.repeat(longestQuestion + 1), `the question has ${longestQuestion + 1} characters; ${longestQuestion} are`],
  ])('says what is wrong with %j', (value, problem) => {
    expect(readQuestion(message(value, 'a'))).toEqual({ id: 'a', problem: expect.stringContaining(problem) });
  });

  it('allows the longest', () => {
    expect(readQuestion(message('x'.repeat(longestQuestion)))).toMatchObject({ text: 'x'.repeat(longestQuestion) });
  });
});
