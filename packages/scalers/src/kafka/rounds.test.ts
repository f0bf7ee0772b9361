import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startRounds } from './rounds.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 250 });
});
afterEach(() => {
  vi.useRealTimers();
});

function record(pace: { intervalMs: number }, takesMs = 0, isRead = () => true) {
  const kinds: string[] = [];
  const rounds = startRounds(
    async (kind) => {
      kinds.push(`${kind}@${Date.now()}`);
      if (takesMs > 0) await new Promise((resolve) => setTimeout(resolve, takesMs));
      return isRead();
    },
    pace,
    () => Date.now(),
  );
  return { kinds, rounds };
}

it('begins at once and goes on at whole intervals', async () => {
  const { kinds, rounds } = record({ intervalMs: 1000 });
  await vi.advanceTimersByTimeAsync(2000);
  rounds.stop();
  await vi.advanceTimersByTimeAsync(5000);
  expect(kinds).toEqual(['poll@250', 'poll@1000', 'poll@2000']);
});

it('looks its pace up for each round', async () => {
  const pace = { intervalMs: 1000 };
  const { kinds, rounds } = record(pace);
  pace.intervalMs = 200;
  await vi.advanceTimersByTimeAsync(1200);
  rounds.stop();
  expect(kinds).toEqual(['poll@250', 'poll@1000', 'poll@1200', 'poll@1400']);
});

it('runs out of turn when it is woken, and keeps its turns', async () => {
  const { kinds, rounds } = record({ intervalMs: 1000 });
  await vi.advanceTimersByTimeAsync(100);
  rounds.wake();
  await vi.advanceTimersByTimeAsync(650);
  rounds.stop();
  expect(kinds).toEqual(['poll@250', 'woken@350', 'poll@1000']);
});

it('never runs two at a time, and once more for all that came meanwhile', async () => {
  const { kinds, rounds } = record({ intervalMs: 10_000 }, 300);
  await vi.advanceTimersByTimeAsync(100);
  rounds.wake();
  rounds.wake();
  await vi.advanceTimersByTimeAsync(1000);
  rounds.stop();
  expect(kinds).toEqual(['poll@250', 'woken@550']);
});

it('runs a woken round again until it could read', async () => {
  let left = 3;
  const { kinds, rounds } = record({ intervalMs: 100_000 }, 0, () => --left <= 0);
  await vi.advanceTimersByTimeAsync(100);
  rounds.wake();
  await vi.advanceTimersByTimeAsync(5000);
  rounds.wake();
  rounds.stop();
  expect(kinds).toEqual(['poll@250', 'woken@350', 'woken@1350', 'woken@5350']);
  expect(vi.getTimerCount()).toBe(0);
});
