import { expect, it } from 'vitest';
import { workloadSpec } from './builders.ts';
import { constant, poisson, recorded, startLoad } from './load.ts';
import { SeededRandom } from './random.ts';
import { VirtualClock } from './virtualClock.ts';
import { VirtualGateway } from './virtualGateway.ts';

function gatewayWith(slots: number): { clock: VirtualClock; gateway: VirtualGateway } {
  const clock = new VirtualClock();
  const gateway = new VirtualGateway({ clock, isServing: () => true });
  gateway.applyWorkload({
    key: 'w',
    classes: [{ name: 'default', accepts: null }],
    serving: workloadSpec('w').serving,
    endpoints: [{ replica: 'r', class: 'default', host: 'h', port: 1, slots, draining: false }],
    unavailable: null,
  });
  return { clock, gateway };
}

it('sends at the recorded moments, each for its service time', async () => {
  const { clock, gateway } = gatewayWith(0);
  const beginUs = clock.nowUs();
  startLoad({
    clock,
    gateway,
    workload: 'w',
    arrivals: recorded([5, 5000, 7_000_000]),
    serviceUs: () => 400,
    forMs: 60_000,
  });
  await clock.advance(60_000);
  expect(gateway.exchanges.map((exchange) => exchange.arrivedUs - beginUs)).toEqual([5, 5000, 7_000_000]);
  expect(gateway.exchanges.map((exchange) => (exchange.endedUs ?? 0) - exchange.arrivedUs)).toEqual([400, 400, 400]);
});

it('sends at the rate it is told, until its end or until it is called off', async () => {
  const { clock, gateway } = gatewayWith(0);
  const random = new SeededRandom(4);
  startLoad({ clock, gateway, workload: 'w', arrivals: poisson(random, 50), serviceUs: () => 1, forMs: 100_000 });
  await clock.advance(200_000);
  expect(Math.abs(gateway.exchanges.length - 5000)).toBeLessThan(300);
  const before = gateway.exchanges.length;
  const end = startLoad({ clock, gateway, workload: 'w', arrivals: constant(10), serviceUs: () => 1, forMs: 100_000 });
  await clock.advance(10_050);
  end();
  await clock.advance(50_000);
  expect(gateway.exchanges.length - before).toBe(100);
});

it('lets clients go away whose patience is over', async () => {
  const { clock, gateway } = gatewayWith(1);
  startLoad({
    clock,
    gateway,
    workload: 'w',
    arrivals: recorded([0, 1, 2]),
    serviceUs: () => 1_000_000,
    forMs: 1000,
    patienceUs: () => 1_500_000,
  });
  await clock.advance(10_000);
  expect(gateway.exchanges.map((exchange) => exchange.outcome)).toEqual(['succeeded', 'cancelled', 'cancelled']);
});
