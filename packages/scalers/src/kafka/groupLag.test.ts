import { describe, expect, it } from 'vitest';
import { SourceError } from '../contract/errors.ts';
import { type GroupLagRules, readingOf } from './groupLag.ts';
import type { GroupOffsets, PartitionOffsets } from './offsets.ts';
import { PartitionLimitation } from './partitionLimitation.ts';
import { PersistentLag } from './persistentLag.ts';

const rules: GroupLagRules = {
  topics: ['orders'],
  partitionLimitation: null,
  lagThreshold: 10,
  activationLagThreshold: 0,
  offsetResetPolicy: 'latest',
  allowIdleConsumers: true,
  scaleToZeroOnInvalidOffset: false,
  excludePersistentLag: false,
  limitToPartitionsWithLag: false,
  ensureEvenDistributionOfPartitions: false,
  missingTopicsAreEmpty: false,
};

/** By partition: committed and latest. */
type Rows = readonly (readonly [PartitionOffsets['committed'], PartitionOffsets['latest']])[];

function offsets(topics: Record<string, Rows | SourceError>): GroupOffsets {
  return new Map(
    Object.entries(topics).map(([topic, rows]) => [
      topic,
      rows instanceof SourceError
        ? rows
        : rows.map(([committed, latest], partition) => ({ partition, committed, latest })),
    ]),
  );
}

function read(found: GroupOffsets, changes: Partial<GroupLagRules> = {}) {
  return readingOf(found, { ...rules, ...changes }, new PersistentLag(), { isPoll: true, where: 'kafka:9092' });
}

describe('readingOf', () => {
  it('adds partitions and topics up', () => {
    expect(
      read(
        offsets({
          orders: [
            [1, 4],
            [null, 9],
          ],
          returns: [[0, 5]],
        }),
      ),
    ).toEqual({ value: 3 + 1 + 5, active: true });
  });

  it('is active strictly above the activation value', () => {
    const found = offsets({ orders: [[0, 5]] });
    expect(read(found, { activationLagThreshold: 5 }).active).toBe(false);
    expect(read(found, { activationLagThreshold: 4 }).active).toBe(true);
  });

  it('counts a partition that the broker left out neither as lag nor as room for a consumer', () => {
    const found = offsets({
      orders: [
        [0, 100],
        [0, null],
      ],
    });
    expect(read(found, { allowIdleConsumers: false }).value).toBe(10);
  });

  it('never gives less than nothing', () => {
    expect(read(offsets({ orders: [[10, 2]] }))).toEqual({ value: 0, active: false });
  });

  it('looks only at the partitions that are named', () => {
    const partitionLimitation = new PartitionLimitation('1-2');
    const unreadable = new SourceError('unreachable', 'partition 0 has no leader');
    const found = offsets({
      orders: [
        [0, unreadable],
        [0, 2],
        [0, 3],
      ],
    });
    expect(read(found, { partitionLimitation }).value).toBe(5);
    expect(() => read(found)).toThrow('has no leader');
    expect(() => read(found, { partitionLimitation: new PartitionLimitation('7') })).toThrow(
      'has 3 partitions and none of 7',
    );
  });

  it('ignores the limitation where no topic is named', () => {
    const partitionLimitation = new PartitionLimitation('1');
    expect(
      read(
        offsets({
          orders: [
            [0, 2],
            [0, 3],
          ],
        }),
        { topics: null, partitionLimitation },
      ).value,
    ).toBe(5);
  });

  it('passes on what may not be read', () => {
    const refused = new SourceError('unauthorized', 'group workers');
    expect(() => read(offsets({ orders: [[refused, 3]] }))).toThrow(refused);
    expect(() => read(offsets({ orders: refused }), { missingTopicsAreEmpty: true })).toThrow(refused);
  });
});
