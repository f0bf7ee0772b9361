import { z } from 'zod';
import { durationField } from '../fields/duration.ts';
import { nameField } from '../fields/names.ts';
import { reportDuplicates, rule } from '../fields/rule.ts';
import { readWith } from '../fields/text.ts';
import { parseLocalTime } from '../units/localTime.ts';
import { parseTimeZone } from '../units/timeZone.ts';

const localTimeField = () => z.string().transform(readWith(parseLocalTime, 'invalid-value'));

const eventSchema = z
  .strictObject({
    name: nameField().meta({ description: 'Unique within the workload.' }),
    timezone: z
      .string()
      .transform(readWith(parseTimeZone, 'unknown-time-zone'))
      .prefault('UTC')
      .meta({ description: 'IANA name of the zone that the two times are in.', examples: ['Europe/Berlin'] }),
    from: localTimeField().meta({ description: 'Day or minute at which it begins.', examples: ['2026-12-24T18:00'] }),
    to: localTimeField().meta({ description: 'Day or minute at which it is over.', examples: ['2026-12-27'] }),
    lead: durationField()
      .prefault('0s')
      .meta({ description: 'How long before its begin it takes effect already.', examples: ['30m'] }),
    factor: z
      .number()
      .gt(0)
      .max(1000)
      .prefault(1)
      .meta({ description: 'What demand asks for is multiplied by this.', examples: [1.5] }),
    minReplicas: z.int().min(0).max(100_000).prefault(0).meta({ description: '`minReplicas` is at least this.' }),
  })
  .check(
    rule(['from', 'to'], ({ from, to }, report) => {
      if (from < to) return;
      report(['to'], 'the event is over before it begins', { code: 'empty-schedule', related: [['from']] });
    }),
    rule(['factor', 'minReplicas'], ({ factor, minReplicas }, report) => {
      if (factor !== 1 || minReplicas > 0) return;
      report(['name'], 'the event changes nothing; give it a factor, minReplicas, or both', { code: 'one-of' });
    }),
  );

/** Dated events, such as holidays and promotions. */
export const eventsSchema = z.array(eventSchema).check(
  rule(['*.name'], (events, report) => {
    const names = events.map((event) => event.name);
    reportDuplicates(names, 'event', (index) => [index, 'name'], report);
  }),
);
