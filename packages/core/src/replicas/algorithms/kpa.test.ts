import { describe, expect, it } from 'vitest';
import { base, minute, Run, reading, type Seen, second } from './algorithms.fixture.ts';
import { decideByKpa } from './kpa.ts';
import { defaultKpaSettings, type KpaDecisionSpec } from './kpaSettings.ts';

const spec = (more: Partial<KpaDecisionSpec> = {}): KpaDecisionSpec => ({
  policy: 'kpa',
  ...base,
  ...defaultKpaSettings,
  targetUtilization: 1,
  target: 10,
  ...more,
});

const start = 1_000_000;

/** Replicas become ready as soon as they are asked for; one reading and one call a second. */
class Service extends Run<KpaDecisionSpec> {
  seconds = 0;
  ready = 0;
  readonly counts: number[] = [];

  constructor(one: KpaDecisionSpec) {
    super(decideByKpa, one);
  }

  /** Goes on for so many seconds with this many requests in flight. */
  go(seconds: number, concurrency: number, more: Seen = {}): number {
    for (let i = 0; i < seconds; i++) {
      const atMs = start + this.seconds * second;
      const readings = [reading(this.spec.metric === 'rps' ? 'requestRate' : 'concurrency', atMs, concurrency)];
      this.ready = this.at(atMs, { ready: this.ready, readings, ...more });
      this.counts.push(this.ready);
      this.seconds++;
    }
    return this.ready;
  }

  phase(): unknown {
    return this.last?.reasons.findLast((reason) => reason.code === 'kpa-path')?.data.phase;
  }
}

describe('the life of a revision', () => {
  it('begins with its initial scale, follows demand, and ends at zero', () => {
    const service = new Service(spec());
    expect(service.go(1, 0)).toBe(1);
    expect(service.go(10, 5)).toBe(1);
    // Ninety in flight: the panic window passes twice what is ready within a second or two.
    service.go(8, 90);
    expect(service.ready).toBe(9);
    expect(service.codes()).toContain('kpa-panic-window');
    service.go(90, 90);
    expect(service.codes()).not.toContain('kpa-panic-window');
    expect(service.ready).toBe(9);

    const from = service.seconds;
    service.go(180, 0);
    const zeroAfter = service.counts.indexOf(0, from) - from;
    // A stable window of silence, then the gate: inactive, and behind the activator for long already (burst 211).
    expect(zeroAfter).toBeGreaterThanOrEqual(60);
    expect(zeroAfter).toBeLessThanOrEqual(66);
    expect(service.phase()).toBe('Inactive');
    expect(service.last?.revisitAtMs).toBeNull();
  });

  it('waits for the grace period when the activator was not in the path', () => {
    const service = new Service(spec({ targetBurstCapacity: 0 }));
    service.go(70, 5);
    const from = service.seconds;
    service.go(180, 0);
    const zeroAfter = service.counts.indexOf(0, from) - from;
    expect(zeroAfter).toBeGreaterThanOrEqual(90);
    expect(zeroAfter).toBeLessThanOrEqual(96);
  });

  it('keeps the last pod for its retention', () => {
    const service = new Service(spec({ scaleToZeroPodRetentionPeriodMs: 100 * second }));
    service.go(70, 5);
    const from = service.seconds;
    service.go(300, 0);
    expect(service.counts.indexOf(0, from) - from).toBeGreaterThanOrEqual(160);
  });

  it('halves at most, and only after the stable window has forgotten', () => {
    const service = new Service(spec());
    service.go(120, 160);
    expect(service.ready).toBe(16);
    service.go(200, 1);
    const steps = service.counts.filter((count, i) => count !== service.counts[i - 1]);
    for (const [i, count] of steps.entries()) {
      const before = steps[i - 1];
      if (before !== undefined && count < before) expect(count).toBeGreaterThanOrEqual(Math.floor(before / 2));
    }
    expect(service.ready).toBe(1);
  });

  it('counts requests a second when told to', () => {
    const service = new Service(spec({ metric: 'rps', target: 50 }));
    service.go(70, 200);
    expect(service.ready).toBe(4);
  });

  it('never falls within the scale-down delay', () => {
    const service = new Service(spec({ scaleDownDelayMs: 120 * second, minScale: 1 }));
    service.go(120, 80);
    const from = service.seconds;
    service.go(60 + 118, 0);
    expect(service.counts.slice(from, from + 118)).not.toContain(1);
    // Each halving waits for the delay anew.
    expect(service.go(500, 0)).toBe(1);
  });
});

describe('its grid of two seconds', () => {
  it('takes readings in between, and decides at the next turn', () => {
    const run = new Run(decideByKpa, spec());
    run.at(start, { ready: 1 });
    for (let ms = 100; ms < 2000; ms += 100) {
      expect(
        run.at(start + ms, { ready: 1, readings: [reading('concurrency', start + ms, 95, { spanMs: 100 })] }),
      ).toBe(1);
      expect(run.last?.reasons.map((reason) => reason.code)).toEqual(['between-turns']);
    }
    expect(run.at(start + 2000, { ready: 1 })).toBe(10);
  });

  it('answers at once when somebody waits at zero', () => {
    const service = new Service(spec());
    service.go(5, 1);
    service.go(200, 0);
    expect(service.ready).toBe(0);
    const atMs = start + service.seconds * second + 137;
    expect(service.at(atMs, { held: 1 })).toBe(1);
  });

  it('starts with the activation scale from zero', () => {
    const service = new Service(spec({ activationScale: 4 }));
    service.go(5, 1);
    service.go(400, 0);
    expect(service.ready).toBe(0);
    expect(service.at(start + service.seconds * second + 137, { held: 1 })).toBe(4);
  });
});

describe('beside the ordinary', () => {
  it('holds the count of a restart until a stable window has passed', () => {
    const service = new Service(spec());
    service.ready = 8;
    service.go(60, 10);
    expect(service.ready).toBe(8);
    service.go(10, 10);
    expect(service.ready).toBeLessThan(8);
  });

  it('does not take a lost source for no demand', () => {
    const service = new Service(spec());
    service.go(70, 50);
    expect(service.ready).toBe(5);
    const lost = {
      readings: [reading('concurrency', start, null, { state: 'missing' })],
      more: { countsKnown: false },
    };
    for (let i = 0; i < 300; i++) {
      const atMs = start + (service.seconds + i) * second;
      expect(service.at(atMs, { ready: 5, ...lost })).toBe(5);
    }
    expect(service.codes()).toContain('kpa-no-data');
  });

  it('begins at zero with an initial scale of zero', () => {
    const service = new Service(spec({ initialScale: 0 }));
    expect(service.go(10, 0)).toBe(0);
    expect(service.at(start + 11 * second, { held: 3 })).toBe(1);
  });

  it('gives up what does not get ready', () => {
    const run = new Run(decideByKpa, spec({ progressDeadlineMs: minute }));
    let replicas = 0;
    for (let s = 0; s <= 90; s++) {
      replicas = run.at(start + s * second, { readings: [reading('concurrency', start + s * second, 0)] });
      expect(replicas).toBe(1);
    }
    expect(run.at(start + 92 * second, { readings: [reading('concurrency', start + 92 * second, 0)] })).toBe(0);
    expect(run.codes()).toContain('kpa-activation-timed-out');
  });

  it('ignores minimum and delays where nothing leads', () => {
    const service = new Service(spec({ minScale: 3, scaleDownDelayMs: 10 * minute }));
    expect(service.go(70, 1)).toBe(3);
    service.go(140, 0, { more: { kpa: { reachable: false } } });
    expect(service.ready).toBe(0);
  });

  it('waits for the activator to answer', () => {
    const service = new Service(spec());
    service.go(10, 1);
    service.go(300, 0, { more: { kpa: { activatorAnswers: false } } });
    expect(service.ready).toBe(1);
    expect(service.go(4, 0)).toBe(0);
  });

  it('is driven by the counts where no reading comes', () => {
    const run = new Run(decideByKpa, spec());
    for (let s = 0; s < 20; s++) run.at(start + s * second, { ready: 1, inFlight: 25, held: 10 });
    expect(run.last?.replicas).toBe(4);
  });

  it('adds up the classes, and gives each its share', () => {
    const run = new Run(decideByKpa, spec({ classes: ['cpu', 'gpu'] }));
    const seen = (ready: number, inFlight: number) => ({
      ready,
      starting: 0,
      draining: 0,
      failed: 0,
      inFlight,
      held: 0,
    });
    for (let s = 0; s < 70; s++) {
      const atMs = start + s * second;
      const readings = [
        reading('concurrency', atMs, 30, { class: 'cpu' }),
        reading('concurrency', atMs, 10, { class: 'gpu' }),
      ];
      run.at(atMs, { readings, more: { classes: { cpu: seen(2, 30), gpu: seen(1, 10) } } });
    }
    expect(run.last).toMatchObject({ replicas: 4, classes: { cpu: 3, gpu: 1 } });
  });

  it('says what it did', () => {
    const service = new Service(spec({ maxScale: 3 }));
    service.go(20, 100);
    expect(service.ready).toBe(3);
    expect(service.codes()).toEqual(expect.arrayContaining(['kpa-stable-window', 'kpa-panic-window', 'capped-at-max']));
  });
});
