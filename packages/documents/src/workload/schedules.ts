import { z } from 'zod';
import { cronField } from '../fields/cron.ts';
import { nameField } from '../fields/names.ts';
import { reportDuplicates, rule } from '../fields/rule.ts';
import { readWith } from '../fields/text.ts';
import { parseTimeZone } from '../units/timeZone.ts';

const scheduleSchema = z
  .strictObject({
    name: nameField().meta({ description: 'Unique within the workload.' }),
    timezone: z
      .string()
      .transform(readWith(parseTimeZone, 'unknown-time-zone'))
      .prefault('UTC')
      .meta({
        description: 'IANA name of the zone that the two times are in.',
        examples: ['Europe/Berlin'],
      }),
    start: cronField().meta({
      description: 'Cron expression of five fields: when it begins.',
      examples: ['0 8 * * 1-5'],
    }),
    end: cronField().meta({ description: 'Cron expression of five fields: when it ends.', examples: ['0 18 * * 1-5'] }),
    minReplicas: z.int().min(0).max(100_000).meta({ description: '`minReplicas` is at least this in between.' }),
  })
  .check(
    rule(['start', 'end'], ({ start, end }, report) => {
      if (start !== end) return;
      report(['end'], 'start and end are the same moments, so the schedule is never on', {
        code: 'empty-schedule',
        related: [['start']],
      });
    }),
  );

export const schedulesSchema = z.array(scheduleSchema).check(
  rule(['*.name'], (schedules, report) => {
    const names = schedules.map((schedule) => schedule.name);
    reportDuplicates(names, 'schedule', (index) => [index, 'name'], report);
  }),
);
