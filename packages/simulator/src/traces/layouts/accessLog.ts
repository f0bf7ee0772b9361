import { isCalendarMoment, readZoneMs, shorten } from '../fields.ts';
import { type CountLayout, RowError } from '../layout.ts';

// host ident user [time] "request" status size, and more behind it in the combined format.
const linePattern =
  /^\S+ \S+ .*?\[(\d\d)\/(\w{3})\/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-]\d{4})\] "(?:[^"\\]|\\.)*" (\d{3}|-) (\d+|-)(?: .*)?$/;
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const secondUs = 1_000_000;

/**
 * Access logs in the common or combined format. They know whole seconds, and lines are written when a request ends, so
 * their order is not that of arrival: requests are counted by second, and spread over it.
 */
export const accessLog: CountLayout = {
  title: 'access log',
  header: null,
  arrivals: 'spread',
  recognises: (firstLine) => linePattern.test(firstLine),
  read: (_firstLine, sink) => {
    const workload = sink.workload('');
    const counts = new Map<number, number>();
    sink.setBucketUs(secondUs);
    return {
      line: (text) => {
        const second = secondOf(text);
        counts.set(second, (counts.get(second) ?? 0) + 1);
      },
      end: () => {
        const seconds = [...counts.keys()].sort((a, b) => a - b);
        const origin = seconds[0] ?? 0;
        for (const second of seconds) sink.add((second - origin) * secondUs, workload, counts.get(second) ?? 0);
        sink.note('whole seconds are known only, so requests are spread over theirs; refused ones count as well');
      },
    };
  },
};

function secondOf(text: string): number {
  const match = linePattern.exec(text);
  if (!match) {
    throw new RowError(
      `is no line of an access log: ${shorten(text)}; expected HOST - USER [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 2326`,
    );
  }
  const month = months.indexOf(match[2] ?? '');
  const [day, year, hour, minute, second] = [match[1], match[3], match[4], match[5], match[6]].map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const ms = Date.UTC(year, month, day, hour, minute, second);
  if (month < 0 || !isCalendarMoment(ms, day, hour, minute, second)) {
    throw new RowError(`there is no such time: ${text.slice(text.indexOf('['), text.indexOf(']') + 1)}`);
  }
  return (ms - readZoneMs(match[7] ?? '')) / 1000;
}
