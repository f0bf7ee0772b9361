import { describe, expect, it } from 'vitest';
import type { Reason } from '../explain/reasons.ts';
import { applyRecommendation, fitToReplica } from './apply.ts';
import { proportionalLimit, withinContainerRange } from './limitRange.ts';
import { capToPolicy, controlled, policyOf, rounded } from './policy.ts';
import type { ContainerPolicy, ContainerRecommendation, ResourceAmounts, SizedContainer } from './types.ts';

const mib = 1024 * 1024;

function recommendationOf(target: ResourceAmounts, name = 'app'): ContainerRecommendation {
  return { name, lowerBound: { ...target }, target, upperBound: { ...target }, uncappedTarget: { ...target } };
}

function containerOf(requests: ResourceAmounts, limits: ResourceAmounts = {}, name = 'app'): SizedContainer {
  return { name, requests, limits };
}

describe('a container’s policy', () => {
  const all: ContainerPolicy = { container: '*', mode: 'Off' };
  const own: ContainerPolicy = { container: 'app' };

  it('is its own, else the one for all, else none', () => {
    expect(policyOf([all, own], 'app')).toBe(own);
    expect(policyOf([all, own], 'proxy')).toBe(all);
    expect(policyOf([own], 'proxy')).toBeNull();
  });

  it('names the controlled resources, both by default', () => {
    const amounts = { cpuMilli: 1, memoryBytes: 2 };
    expect(controlled(amounts, null)).toEqual(amounts);
    expect(controlled(amounts, { container: 'app', controlledResources: ['memory'] })).toEqual({ memoryBytes: 2 });
    expect(controlled(amounts, { container: 'app', controlledResources: [] })).toEqual({});
  });
});

describe('rounding', () => {
  it('goes up to the steps, then to whole cores', () => {
    const steps = { roundCpuMilli: 50, roundMemoryBytes: mib };
    expect(rounded({ cpuMilli: 101, memoryBytes: mib + 1 }, null, steps)).toEqual({
      cpuMilli: 150,
      memoryBytes: 2 * mib,
    });
    expect(rounded({ cpuMilli: 1001 }, { container: 'app', integerCpu: true }, steps)).toEqual({ cpuMilli: 2000 });
  });
});

describe('minAllowed and maxAllowed', () => {
  const cap = (cpuMilli: number, policy: Omit<ContainerPolicy, 'container'> | null, recommenderMax = {}) => {
    const reasons: Reason[] = [];
    const full = policy && { container: 'app', ...policy };
    const { target, uncappedTarget } = capToPolicy(recommendationOf({ cpuMilli }), full, recommenderMax, reasons);
    expect(uncappedTarget.cpuMilli).toBe(cpuMilli);
    return [target.cpuMilli, ...reasons.map(({ code, data }) => (data.from ? `${code} ${data.from}` : code))];
  };

  it.each<[number, Omit<ContainerPolicy, 'container'> | null, ResourceAmounts, unknown[]]>([
    [100, null, {}, [100]],
    [100, { minAllowed: { cpuMilli: 200 } }, {}, [200, 'sizing-min-allowed']],
    [100, { maxAllowed: { cpuMilli: 50 } }, {}, [50, 'sizing-max-allowed policy']],
    // The maximum wins over the minimum.
    [100, { minAllowed: { cpuMilli: 200 }, maxAllowed: { cpuMilli: 150 } }, {}, [150, 'sizing-max-allowed policy']],
    [100, { minAllowed: { cpuMilli: 0 }, maxAllowed: { cpuMilli: 0 } }, {}, [100]],
    // The recommender's maximum holds only where the policy names none; 0 names one.
    [100, null, { cpuMilli: 60 }, [60, 'sizing-max-allowed recommender']],
    [100, { maxAllowed: { memoryBytes: 1 } }, { cpuMilli: 60 }, [60, 'sizing-max-allowed recommender']],
    [100, { maxAllowed: { cpuMilli: 80 } }, { cpuMilli: 60 }, [80, 'sizing-max-allowed policy']],
    [100, { maxAllowed: { cpuMilli: 0 } }, { cpuMilli: 60 }, [100]],
  ])('%d with %o and %o', (value, policy, recommenderMax, expected) => {
    expect(cap(value, policy, recommenderMax)).toEqual(expected);
  });
});

describe('limits in proportion', () => {
  it.each<[ResourceAmounts, ResourceAmounts, number | undefined, number | undefined, number | undefined]>([
    // 300 * 500 / 200 = 750; 100 * 500 / 300 = 166.7; no limit; equal; no request; default; nothing recommended.
    [{ cpuMilli: 200 }, { cpuMilli: 300 }, 500, undefined, 750],
    [{ cpuMilli: 300 }, { cpuMilli: 100 }, 500, undefined, 166],
    [{ cpuMilli: 200 }, {}, 500, undefined, undefined],
    [{ cpuMilli: 200 }, { cpuMilli: 200 }, 500, undefined, 500],
    [{}, { cpuMilli: 300 }, 500, undefined, 500],
    [{ cpuMilli: 200 }, {}, 500, 400, 1000],
    [{ cpuMilli: 200 }, { cpuMilli: 300 }, undefined, undefined, undefined],
  ])('of %o and %o for %d, default %d: %d', (requests, limits, recommended, defaultLimit, limit) => {
    expect(proportionalLimit(containerOf(requests, limits), recommended, 'cpuMilli', defaultLimit)).toBe(limit);
  });
});

describe('a limit range of containers', () => {
  const container = containerOf({ cpuMilli: 100 }, { cpuMilli: 400 });

  it.each<[number, object, number]>([
    // A limit of 1000 is reached at a request of 100 * 1000 / 400 = 250.
    [900, { max: { cpuMilli: 1000 } }, 250],
    [200, { max: { cpuMilli: 1000 } }, 200],
    // The limit reaches 600 at 150, but the request itself has to be 600 too.
    [100, { min: { cpuMilli: 600 } }, 600],
    [700, { min: { cpuMilli: 600 } }, 700],
  ])('takes %d with %o to %d', (cpuMilli, range, to) => {
    expect(withinContainerRange({ cpuMilli }, container, range)).toEqual({ cpuMilli: to });
  });
});

describe('a limit range of pods', () => {
  const pair = [
    containerOf({ cpuMilli: 100 }, { cpuMilli: 200 }, 'a'),
    containerOf({ cpuMilli: 100 }, { cpuMilli: 200 }, 'b'),
  ];
  const targets = (range: object, ...amounts: number[]) => {
    const containers = amounts.map((cpuMilli, i) => recommendationOf({ cpuMilli }, pair[i]?.name));
    const reasons: Reason[] = [];
    const rules = { policies: [], limitRanges: { pod: range } };
    const fitted = fitToReplica({ containers }, pair, rules, reasons).containers.map(({ target }) => target.cpuMilli);
    return [...fitted, reasons.length];
  };

  it('leaves alone what fits', () => {
    // Limits are 2 * (100 + 300) = 800.
    expect(targets({ max: { cpuMilli: 800 } }, 100, 300)).toEqual([100, 300, 0]);
  });

  it('scales down so that the limits together fit', () => {
    // 400 / 800: each half, rounded down: 101 → 50 (and the sum of limits is then 2 * (101 + 300) = 802).
    expect(targets({ max: { cpuMilli: 400 } }, 100, 300)).toEqual([50, 150, 2]);
    expect(targets({ max: { cpuMilli: 400 } }, 101, 300)).toEqual([50, 149, 2]);
  });

  it('scales up so that the requests together reach the minimum, rounded up', () => {
    // 1000 / 300 of 100 and 200: 333.3 and 666.7.
    expect(targets({ min: { cpuMilli: 1000 } }, 100, 200)).toEqual([334, 667, 2]);
  });

  it('scales memory up with whole bytes only, rounded down, as upstream does', () => {
    const containers = pair.map(({ name }) => containerOf({ memoryBytes: 100 }, { memoryBytes: 200 }, name));
    const recommended = pair.map(({ name }, i) => recommendationOf({ memoryBytes: 100 * (i + 1) }, name));
    const rules = { policies: [], limitRanges: { pod: { min: { memoryBytes: 1000 } } } };
    const fitted = fitToReplica({ containers: recommended }, containers, rules);
    expect(fitted.containers.map(({ target }) => target.memoryBytes)).toEqual([333, 666]);
  });

  it('counts a container without a recommendation with its request, which becomes its target', () => {
    // Limits: 2 * 300 + 200 = 800; 400 / 800 of 300 and 100. Its bounds are not recommended.
    expect(targets({ max: { cpuMilli: 900 } }, 300)).toEqual([300, 100, 0]);
    expect(targets({ max: { cpuMilli: 400 } }, 300)).toEqual([150, 50, 2]);
  });
});

describe('a recommendation applied', () => {
  const rules = (policy: Omit<ContainerPolicy, 'container'>) => ({
    policies: [{ container: 'app', ...policy }],
    limitRanges: {},
  });
  const container = containerOf({ cpuMilli: 100, memoryBytes: 64 * mib }, { cpuMilli: 300 });

  it('moves requests, and limits in proportion', () => {
    const { containers } = applyRecommendation(
      { containers: [recommendationOf({ cpuMilli: 500 })] },
      [container],
      rules({}),
    );
    expect(containers).toEqual([containerOf({ cpuMilli: 500, memoryBytes: 64 * mib }, { cpuMilli: 1500 })]);
  });

  it('with RequestsOnly leaves the limit and stays below it', () => {
    const applied = applyRecommendation(
      { containers: [recommendationOf({ cpuMilli: 500, memoryBytes: 128 * mib })] },
      [container],
      rules({ controlledValues: 'RequestsOnly' }),
    );
    expect(applied.containers).toEqual([containerOf({ cpuMilli: 300, memoryBytes: 128 * mib }, { cpuMilli: 300 })]);
    expect(applied.reasons.map(({ code }) => code)).toEqual(['sizing-container-limit']);
  });

  it('leaves containers alone that are not recommended for, and recommendations for others', () => {
    const applied = applyRecommendation(
      { containers: [recommendationOf({ cpuMilli: 1 }, 'gone')] },
      [container],
      rules({}),
    );
    expect(applied).toEqual({ containers: [container], reasons: [] });
  });
});
