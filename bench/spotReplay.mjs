// Machines on recorded spot capacity: who gets them, who loses them, what is paid.

const warmUpMs = 3_600_000;

/**
 * Runs a policy over zones whose capacity is known at every moment. A machine is had when the zone has one more at that moment, is paid
 * from then on and ready after `startMs`. When a zone's capacity falls below what runs there, that many are lost at once and without notice.
 * On demand can always be had. The first hour is not counted.
 */
export function replaySpot({ zones, endMs, startMs, wanted, prices, policy, seed = 1 }) {
  const markets = zones.map(({ name }) => name);
  const best = zones.reduce((a, b) => (b.mean > a.mean ? b : a)).name;
  const decide = policy({ markets, best, startMs, prices });
  const machines = new Map(markets.map((name) => [name, []]));
  let onDemand = [];
  const capacity = new Map(markets.map((name) => [name, 0]));
  const changes = zones
    .flatMap(({ name, steps }) => steps.map(([atMs, count]) => ({ atMs, name, count })))
    .sort((a, b) => a.atMs - b.atMs);
  const told = { cost: 0, shortMs: 0, missingMs: 0, worstMs: 0, lost: 0, refused: 0, started: 0, countedMs: 0 };
  const random = randomOf(seed);
  let next = 0;
  let nowMs = 0;
  let revisitAtMs = 0;
  let shortSinceMs = null;
  while (nowMs < endMs) {
    const events = [];
    for (; next < changes.length && changes[next].atMs <= nowMs; next += 1) {
      const { name, count } = changes[next];
      capacity.set(name, count);
      const there = machines.get(name);
      if (there.length > count) {
        events.push({ type: 'lost', market: name, atMs: nowMs });
        if (nowMs >= warmUpMs) told.lost += there.length - count;
        while (there.length > count) there.splice(Math.floor(random() * there.length), 1);
      }
    }
    revisitAtMs = settle(events) ?? Number.POSITIVE_INFINITY;
    const all = [...machines.values()].flat();
    const readyAts = [...all, ...onDemand].map(({ readyAtMs }) => readyAtMs);
    const ready = readyAts.filter((atMs) => atMs <= nowMs).length;
    const pending = readyAts.filter((atMs) => atMs > nowMs);
    const untilMs = Math.min(
      endMs,
      changes[next]?.atMs ?? endMs,
      revisitAtMs > nowMs ? revisitAtMs : endMs,
      ...pending,
    );
    if (nowMs >= warmUpMs) account(ready, all.length, untilMs);
    nowMs = untilMs;
  }
  return { ...told, cost: told.cost / (told.countedMs * wanted * prices.onDemand) };

  function settle(first) {
    let events = first;
    for (let round = 0; round < 100; round += 1) {
      const counts = new Map(markets.map((name) => [name, machines.get(name).length]));
      const isReady = ({ readyAtMs }) => readyAtMs <= nowMs;
      const ready = new Map(markets.map((name) => [name, machines.get(name).filter(isReady).length]));
      const readyOnDemand = onDemand.filter(isReady).length;
      const asked = decide({
        ...{ nowMs, wanted, counts, ready, events },
        onDemand: { ready: readyOnDemand, starting: onDemand.length - readyOnDemand },
      });
      events = [];
      let isChanged = false;
      for (const name of markets) {
        const there = machines.get(name);
        const aim = asked.spot.get(name) ?? 0;
        while (there.length > aim) {
          endOne(there);
          isChanged = true;
        }
        while (there.length < aim) {
          if (there.length >= capacity.get(name)) {
            events.push({ type: 'refused', market: name, atMs: nowMs });
            told.refused += 1;
            break;
          }
          there.push({ readyAtMs: nowMs + startMs });
          told.started += 1;
          isChanged = true;
        }
      }
      while (onDemand.length > asked.onDemand) endOne(onDemand);
      while (onDemand.length < asked.onDemand) onDemand.push({ readyAtMs: nowMs + startMs });
      if (events.length === 0) return asked.revisitAtMs;
      if (!isChanged && round > 90) break;
    }
    return nowMs + 60_000;
  }

  function endOne(there) {
    const last = there.reduce((a, b) => (b.readyAtMs > a.readyAtMs ? b : a));
    there.splice(there.indexOf(last), 1);
  }

  function account(ready, spotCount, untilMs) {
    const spanMs = untilMs - nowMs;
    told.countedMs += spanMs;
    told.cost += (spotCount * prices.spot + onDemand.length * prices.onDemand) * spanMs;
    if (ready < wanted) {
      told.shortMs += spanMs;
      told.missingMs += spanMs * (wanted - ready);
      shortSinceMs ??= nowMs;
      told.worstMs = Math.max(told.worstMs, untilMs - shortSinceMs);
    } else shortSinceMs = null;
  }
}

function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
