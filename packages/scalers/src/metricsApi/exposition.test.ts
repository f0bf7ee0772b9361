import { describe, expect, it } from 'vitest';
import { SettingFault } from '../contract/parameter.ts';
import { SourceError } from '../contract/errors.ts';
import { parseSelector, sampleValue } from './exposition.ts';

const text = `# HELP jobs_waiting Jobs that wait.
# TYPE jobs_waiting gauge
jobs_waiting{queue="a",kind="x"} 3
jobs_waiting{queue="b, \\"c\\" } \\\\ \\n",kind="x"} 4 1700000000000
jobs_waiting_total 9
  up   1.5e1\t
größe{straße="löwe 🚀"} 6
{"metric.with.dots",queue="a"} 7
bad NaN
huge +Inf
spaced { queue = "a" , } 8
request_seconds_bucket{le="+Inf"} 10
broken{queue="a" 1
wordy abc
`;
const read = (selector: string) => sampleValue(text, parseSelector(selector), selector);

describe('Prometheus text', () => {
  it.each([
    ['jobs_waiting', 3],
    ['jobs_waiting{}', 3],
    ['jobs_waiting{queue="a"}', 3],
    ['jobs_waiting{kind="x", queue="a"}', 3],
    ['jobs_waiting{queue="b, \\"c\\" } \\\\ \\n"}', 4],
    ['{__name__="jobs_waiting",queue="a",}', 3],
    ['jobs_waiting_total', 9],
    ['up', 15],
    ['größe{straße="löwe 🚀"}', 6],
    ['{"metric.with.dots"}', 7],
    ['spaced{queue="a"}', 8],
    ['bad', Number.NaN],
    ['huge', Number.POSITIVE_INFINITY],
    ['request_seconds_bucket{le="+Inf"}', 10],
  ])('%s', (selector, value) => {
    expect(read(selector)).toBe(value);
  });

  it.each(['jobs', 'jobs_waiting{queue="z"}', 'up{job="a"}', 'jobs_waiting{other=""}'])('has no %s', (selector) => {
    expect(() => read(selector)).toThrow(expect.objectContaining({ code: 'not-found' }));
  });

  it.each(['broken{queue="a"}', 'wordy'])('says that %s is no sample', (selector) => {
    expect(() => read(selector)).toThrow(SourceError);
    expect(() => read(selector)).toThrow(expect.objectContaining({ code: 'bad-answer' }));
  });

  it.each([
    ['', /name a metric/],
    ['{queue="a"}', /name a metric/],
    ['jobs{queue=~"a"}', /=~/],
    ['jobs{queue!="a"}', /!=/],
    ['jobs{queue="a"', /name a metric|must be a metric/],
    ['jobs{queue=a}', /must be a metric/],
  ])('refuses the selector %s', (selector, message) => {
    expect(() => parseSelector(selector)).toThrow(SettingFault);
    expect(() => parseSelector(selector)).toThrow(message);
  });
});
