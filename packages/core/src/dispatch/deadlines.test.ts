import { describe, expect, it } from 'vitest';
import { chat, Desk, requestOf } from './dispatch.fixture.ts';

const second = 1_000_000;

describe('the hold time', () => {
  it('ends the wait with 504 at its very end', () => {
    const desk = new Desk({ holdMs: 2_000 });
    desk.nowUs = 500;
    desk.arrive(1);
    expect(desk.dispatcher.nextDeadlineUs()).toBe(2 * second + 500);
    desk.nowUs = 2 * second + 499;
    expect(desk.tick()).toEqual([]);
    expect(desk.dispatcher.tick(2 * second + 500)).toEqual([
      {
        type: 'refused',
        id: 1,
        refusal: {
          code: 'hold-timeout',
          status: 504,
          retryAfterMs: 1000,
          message: `no replica of ${chat} was free within 2000 ms (timeouts.hold)`,
        },
      },
    ]);
    expect(desk.dispatcher.nextDeadlineUs()).toBeNull();
  });

  it('does not run on while a request is in flight', () => {
    const desk = new Desk({ holdMs: 1 });
    desk.endpoints('a');
    desk.arrive(1);
    expect(desk.dispatcher.nextDeadlineUs()).toBeNull();
    desk.nowUs = second;
    expect(desk.tick()).toEqual([]);
  });

  it('counts from the arrival for a request that is retried', () => {
    const desk = new Desk({ holdMs: 1_000 });
    desk.endpoints('a');
    desk.arrive(1);
    desk.nowUs = 400_000;
    expect(desk.retry(1)).toEqual(['1 held at 1: no-replica']);
    expect(desk.dispatcher.nextDeadlineUs()).toBe(second);
  });

  it('applies to new arrivals when it is changed', () => {
    const desk = new Desk({ holdMs: 5_000 });
    desk.arrive(1);
    desk.configure({ holdMs: 1_000 });
    desk.arrive(2);
    desk.nowUs = second;
    expect(desk.tick()).toEqual(['2 refused: hold-timeout']);
    desk.nowUs = 5 * second;
    expect(desk.tick()).toEqual(['1 refused: hold-timeout']);
  });

  it('holds also when the timer is late: what is past is refused before a slot is given away', () => {
    const desk = new Desk({ holdMs: 1_000 });
    desk.endpoints('a');
    desk.arrive(1);
    desk.arrive(2);
    desk.nowUs = 900_000;
    desk.arrive(3);
    desk.nowUs = 1_500_000;
    expect(desk.complete(1)).toEqual(['2 refused: hold-timeout', '3 → a']);
  });

  it('refuses in the order of the deadlines, over all workloads', () => {
    const desk = new Desk({ holdMs: 3_000 });
    const other = { key: 'local/default/other', holdMs: 2_000 };
    desk.configure(other);
    desk.arrive(1);
    desk.arrive(2, { workload: other.key });
    desk.arrive(3, { deadlineUs: second });
    desk.nowUs = 3 * second;
    expect(desk.tick()).toEqual(['3 refused: deadline-passed', '2 refused: hold-timeout', '1 refused: hold-timeout']);
  });
});

describe("the client's own deadline", () => {
  it('ends the wait where it is earlier', () => {
    const desk = new Desk({ holdMs: 2_000 });
    desk.arrive(1, { deadlineUs: second });
    expect(desk.dispatcher.nextDeadlineUs()).toBe(second);
    const [refused] = desk.dispatcher.tick(second);
    expect(refused).toMatchObject({ refusal: { code: 'deadline-passed', status: 504, retryAfterMs: null } });
  });

  it('does not prolong the hold time', () => {
    const desk = new Desk({ holdMs: 2_000 });
    desk.arrive(1, { deadlineUs: 10 * second });
    expect(desk.dispatcher.nextDeadlineUs()).toBe(2 * second);
  });

  it('that ends with the hold time is the hold time', () => {
    const desk = new Desk({ holdMs: 2_000 });
    desk.arrive(1, { deadlineUs: 2 * second });
    desk.nowUs = 2 * second;
    expect(desk.tick()).toEqual(['1 refused: hold-timeout']);
  });

  it('that has passed already wastes no slot', () => {
    const desk = new Desk();
    desk.endpoints('a:2', 'b');
    desk.nowUs = 100;
    expect(desk.arrive(1, { deadlineUs: 100 })).toEqual(['1 refused: deadline-passed']);
    expect(desk.arrive(2, { deadlineUs: 101 })).toEqual(['2 → a']);
    desk.nowUs = 101;
    expect(desk.retry(2)).toEqual(['2 refused: deadline-passed']);
    expect(desk.counts().classes.default).toMatchObject({ inFlight: 0, held: 0 });
  });
});

describe('time', () => {
  it('does not step back: an earlier time counts as the latest one', () => {
    const desk = new Desk();
    desk.nowUs = 100;
    desk.arrive(1);
    desk.nowUs = 50;
    desk.arrive(2);
    desk.nowUs = 200;
    expect(desk.counts().classes.default).toMatchObject({ demandIntegralUs: 200 });
  });

  it('is in whole microseconds', () => {
    const desk = new Desk();
    expect(() => desk.dispatcher.arrive(0.5, requestOf(1))).toThrow('times are whole microseconds, found 0.5');
    expect(() => desk.dispatcher.tick(Number.NaN)).toThrow('found NaN');
  });
});
