import { readNumber, readWhole, requireColumns, splitHeader, splitRow } from '../fields.ts';
import { type CountLayout, RowError } from '../layout.ts';

const minuteUs = 60_000_000;

/** A count for the bucket that begins at t_s; buckets without requests have no row, and a last zero row marks the end. */
export const bucketRows: CountLayout = {
  title: 'counts',
  header: 't_s,requests',
  arrivals: 'spread',
  recognises: (firstLine) => splitHeader(firstLine).join() === 't_s,requests',
  read: (_firstLine, sink, { bucketSeconds }) => {
    const columns = ['t_s', 'requests'];
    const workload = sink.workload('');
    let row = 0;
    let lastUs = -1;
    let lastCount = 0;
    let divisorUs = 0;
    return {
      line: (text) => {
        if (row++ === 0) return;
        const fields = splitRow(text);
        requireColumns(columns, fields);
        const startUs = Math.round(readNumber('t_s', fields[0]) * 1e6);
        if (startUs <= lastUs) throw new RowError(`t_s is ${fields[0]}: not after the row above (${lastUs / 1e6})`);
        divisorUs = greatestDivisor(divisorUs, lastUs < 0 ? 0 : startUs - lastUs);
        lastUs = startUs;
        lastCount = readWhole('requests', fields[1]);
        if (lastCount > 0) sink.add(startUs, workload, lastCount);
      },
      end: () => {
        if (row === 1) return;
        const bucketUs = bucketSeconds === undefined ? divisorUs : Math.round(bucketSeconds * 1e6);
        if (bucketUs === 0) {
          throw new RowError('a single row does not say how long a bucket is: give bucketSeconds', true);
        }
        if (divisorUs % bucketUs !== 0) {
          throw new RowError(
            `rows are ${divisorUs / 1e6} s apart: no multiple of bucketSeconds (${bucketSeconds})`,
            true,
          );
        }
        sink.setBucketUs(bucketUs);
        sink.setSpanUs(lastCount === 0 ? lastUs : lastUs + bucketUs);
      },
    };
  },
};

function greatestDivisor(a: number, b: number): number {
  let [large, small] = [a, b];
  while (small > 0) [large, small] = [small, large % small];
  return large;
}

/** Many independent workloads; absent minutes are zero. */
export const workloadMinutes: CountLayout = {
  title: 'counts per workload and minute',
  header: 'workload,minute,requests',
  arrivals: 'spread',
  recognises: (firstLine) => splitHeader(firstLine).join() === 'workload,minute,requests',
  read: (_firstLine, sink) => {
    const columns = ['workload', 'minute', 'requests'];
    let row = 0;
    let name = '';
    let lastMinute = -1;
    sink.setBucketUs(minuteUs);
    return {
      line: (text) => {
        if (row++ === 0) return;
        const fields = splitRow(text);
        requireColumns(columns, fields);
        const minute = readWhole('minute', fields[1]);
        if (fields[0] !== name) {
          name = fields[0] ?? '';
          if (name === '') throw new RowError('workload is empty');
        } else if (minute <= lastMinute) {
          throw new RowError(`minute is ${minute}: not after the row above (${lastMinute})`);
        }
        lastMinute = minute;
        sink.add(minute * minuteUs, sink.workload(name), readWhole('requests', fields[2]));
      },
      end: () => {},
    };
  },
};

/** Azure/AzurePublicDataset, invocations_per_function_md.anon.d*.csv: one function a row, one minute a column. */
export const azureFunctions: CountLayout = {
  title: 'Azure Functions 2019',
  header: 'HashOwner,HashApp,HashFunction,Trigger,1,2,3',
  arrivals: 'spread',
  recognises: (firstLine) => /^\uFEFF?HashOwner,HashApp,HashFunction,Trigger,1,/.test(firstLine),
  read: (firstLine, sink) => {
    const columns = splitHeader(firstLine);
    const owners = new Map<string, string>();
    let row = 0;
    sink.setBucketUs(minuteUs);
    sink.setSpanUs((columns.length - 4) * minuteUs);
    return {
      line: (text) => {
        if (row++ === 0) return;
        const fields = splitRow(text);
        requireColumns(columns, fields);
        const [owner = '', app = '', name = ''] = fields;
        // The same function under another application is another workload.
        const key = `${owner}/${app}`;
        if (!owners.has(name)) owners.set(name, key);
        const workload = sink.workload(owners.get(name) === key ? name : `${name}@${app}`);
        for (let index = 4; index < fields.length; index++) {
          if (fields[index] === '0') continue;
          const count = readWhole(`minute ${columns[index]}`, fields[index]);
          if (count > 0) sink.add((index - 4) * minuteUs, workload, count);
        }
      },
      end: () => {},
    };
  },
};
