import { defineScaler } from './contract/definition.ts';
import { integer, text } from './contract/parameter.ts';
import { createScheduleScaler, ScheduleError } from './schedule.ts';

/** KEDA's window of time: a floor between two cron expressions, never a ceiling. */
export const cron = defineScaler({
  type: 'cron',
  summary: 'Replicas between two times of day and week.',
  parameters: {
    timezone: text({ required: true, description: 'IANA name of the time zone, such as Europe/Berlin.' }),
    start: text({ required: true, description: 'When it begins: minute, hour, day of month, month, day of week.' }),
    end: text({ required: true, description: 'When it ends, written like `start`.' }),
    desiredReplicas: integer({ required: true, moreThan: 0, description: 'Replicas within the window.' }),
  },
  check({ timezone, start, end }) {
    if (start === end) return [{ parameter: 'end', message: `end must be another time than start, found "${end}"` }];
    try {
      createScheduleScaler([{ name: 'cron', timezone, start, end, minReplicas: 1 }], { wallNowMs: () => 0 });
      return [];
    } catch (error) {
      if (!(error instanceof ScheduleError)) throw error;
      return [{ parameter: error.field, message: error.message }];
    }
  },
  target: () => ({ target: 1, activationTarget: 0 }),
  metricName: ({ timezone, start, end }) => `cron-${timezone}-${normalCron(start)}-${normalCron(end)}`,
  open({ timezone, start, end, desiredReplicas }, context) {
    const scaler = createScheduleScaler([{ name: 'cron', timezone, start, end, minReplicas: desiredReplicas }], {
      wallNowMs: () => context.wallNowMs(),
    });
    return {
      async read() {
        const [reading] = await scaler.read(context.nowMs());
        const value = reading?.value ?? 0;
        const { nextChangeMs } = reading ?? {};
        return { value, active: value > 0, ...(nextChangeMs === undefined ? {} : { nextChangeMs }) };
      },
      close: () => scaler.close(),
    };
  },
  example: `type: cron
metadata:
  timezone: Europe/Berlin
  start: 0 8 * * 1-5
  end: 0 18 * * 1-5
  desiredReplicas: "4"`,
  documentation: {
    reaction: 'It knows when it changes next and is read then.',
    rights: 'None.',
    notes: [
      'It is a floor and never a ceiling: other triggers may ask for more.',
      'Outside the window it asks for 0, and the object goes to its minimum.',
    ],
  },
});

/** KEDA's way of putting a cron expression into a metric's name. */
function normalCron(expression: string): string {
  return expression.replace(/\s+/g, '').replaceAll('*', 'x').replaceAll('/', 'Sl').replaceAll('?', 'Qm');
}
