import { shorten } from '../fields.ts';
import { type RequestLayout, RowError } from '../layout.ts';

/** kvcache-ai/Mooncake: JSON lines, time in milliseconds from the start. */
export const mooncake: RequestLayout = {
  title: 'Mooncake',
  header: '{"timestamp": 0, "input_length": 6758, "output_length": 500, "hash_ids": []}',
  arrivals: 'recorded',
  hasTokens: true,
  recognises: (firstLine) =>
    firstLine.startsWith('{') && /"timestamp"\s*:/.test(firstLine) && /"input_length"\s*:/.test(firstLine),
  read: (_firstLine, sink) => {
    const workload = sink.workload('');
    return {
      line: (text) => {
        const row = parseObject(text);
        const atMs = numberOf(row, 'timestamp');
        sink.add(Math.round(atMs * 1000), workload, wholeOf(row, 'input_length'), wholeOf(row, 'output_length'));
      },
      end: () => {},
    };
  },
};

function parseObject(text: string): Map<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RowError(`is not JSON: ${shorten(text)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new RowError('is not a JSON object');
  return new Map(Object.entries(value));
}

function numberOf(row: Map<string, unknown>, field: string): number {
  const value = row.get(field);
  if (value === undefined) throw new RowError(`has no ${field}`);
  if (typeof value !== 'number') throw new RowError(`${field} is ${shorten(JSON.stringify(value))}: not a number`);
  if (value < 0) throw new RowError(`${field} is ${value}: must not be negative`);
  return value;
}

function wholeOf(row: Map<string, unknown>, field: string): number {
  const value = numberOf(row, field);
  if (!Number.isInteger(value) || value > 0xffffffff)
    throw new RowError(`${field} is ${value}: must be a whole number below 2^32`);
  return value;
}
