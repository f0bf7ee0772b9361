import { describe, expect, it } from 'vitest';
import type { Task } from '../queue/task.ts';
import type { TaskEvent } from '../queue/taskEvent.ts';
import { Gallery, mostPictures } from './gallery.ts';

const taskOf = (id: string): Task => ({
  id,
  name: id,
  input: `${id}/o.png`,
  output: `${id}/r.png`,
  prompt: '',
  submittedAt: 0,
});
const origin = (id: string, delivery = 1) => ({ task: taskOf(id), job: `job-${delivery}`, pid: 1, delivery, at: 5 });
const processing = (id: string, delivery = 1): TaskEvent => ({
  ...origin(id, delivery),
  state: 'processing',
  step: 'starting',
  processStartedAt: 1,
});
const done = (id: string, delivery = 1): TaskEvent => ({
  ...origin(id, delivery),
  state: 'done',
  width: 4,
  height: 4,
  workMs: 1,
});

function gallery(...ids: string[]): Gallery {
  const made = new Gallery(() => {});
  for (const id of ids) made.submitted(taskOf(id), null);
  return made;
}

describe('the gallery', () => {
  it('follows a picture from the queue to its result', () => {
    const one = gallery('a');
    expect(one.find('a')).toMatchObject({ state: 'queued', delivery: 0 });
    one.happened(processing('a'));
    expect(one.find('a')).toMatchObject({ state: 'processing', step: 'starting', job: 'job-1', takenAt: 5 });
    one.happened(done('a'));
    expect(one.find('a')).toMatchObject({ state: 'done', result: { width: 4 } });
    expect(one.unfinished).toBe(0);
  });

  it('keeps a result whatever comes later, and hears the later of two Jobs', () => {
    const one = gallery('a', 'b');
    one.happened(processing('a', 2));
    one.happened({ ...origin('a', 1), state: 'returned', message: 'late news of the first' });
    expect(one.find('a')).toMatchObject({ state: 'processing', job: 'job-2' });
    one.happened(done('b'));
    one.happened(processing('b', 2));
    one.failed(taskOf('b'), 'too often', 9);
    expect(one.find('b')).toMatchObject({ state: 'done', message: '' });
  });

  it('says why a picture failed, from the Job and from the broker', () => {
    const one = gallery('a');
    one.happened({ ...origin('a'), state: 'returned', message: 'no such picture' });
    expect(one.find('a')).toMatchObject({ state: 'queued', message: 'no such picture' });
    one.failed(taskOf('a'), 'it was given back too often', 9);
    expect(one.find('a')).toMatchObject({
      state: 'failed',
      message: 'no such picture (it was given back too often)',
      doneAt: 9,
    });
  });

  it('shows pictures that were submitted before it began', () => {
    const one = gallery();
    one.happened(processing('early'));
    expect(one.list().map(({ task, state }) => [task.id, state])).toEqual([['early', 'processing']]);
  });

  it('forgets the oldest finished ones beyond its bound, never one that waits', () => {
    const one = gallery('waiting');
    for (let index = 0; index < mostPictures + 10; index += 1) {
      one.submitted(taskOf(`p${index}`), null);
      one.happened(done(`p${index}`));
    }
    expect(one.list()).toHaveLength(mostPictures);
    expect(one.find('waiting')).toBeDefined();
    expect(one.find('p0')).toBeUndefined();
  });
});
