import { expect, test } from 'vitest';
import { cronProblem } from './cron.ts';

test.each([
  '* * * * *',
  '0 8 * * 1-5',
  '*/10 0-6,22,23 1,15 JAN-mar MON',
  '5/15 * * * *',
  '0 0 31 12 7',
  '  0   8 * * sun ',
])('%j is a cron expression', (expression) => {
  expect(cronProblem(expression)).toBeNull();
});

const five = 'a cron expression has five: minute, hour, day of month, month, day of week';

test.each([
  ['', `"" has 0 fields; ${five}`],
  ['0 8 * *', `"0 8 * *" has 4 fields; ${five}`],
  ['@daily', `"@daily" has 1 fields; ${five}`],
  ['0 0 8 * * 1', `"0 0 8 * * 1" has 6 fields; ${five}`],
  ['60 * * * *', '"60 * * * *": the minute 60 is not within 0 to 59'],
  ['0 24 * * *', '"0 24 * * *": the hour 24 is not within 0 to 23'],
  ['0 0 0 * *', '"0 0 0 * *": the day of month 0 is not within 1 to 31'],
  ['0 0 * 13 *', '"0 0 * 13 *": the month 13 is not within 1 to 12'],
  ['0 0 * * MONDAY', '"0 0 * * MONDAY": the day of week MONDAY is not within 0 to 7'],
  ['0 18-8 * * *', '"0 18-8 * * *": the hour range 18-8 runs backwards'],
  ['*/0 * * * *', '"*/0 * * * *": the step /0 of the minute must be from 1 to 59'],
  ['*-5 * * * *', '"*-5 * * * *": "*-5" is not a minute'],
  ['1,,2 * * * *', '"1,,2 * * * *": "" is not a minute; write *, 5, 1-5, 1,15 or */10'],
  ['- * * * *', '"- * * * *": "-" is not a minute; write *, 5, 1-5, 1,15 or */10'],
])('%j is refused', (expression, problem) => {
  expect(cronProblem(expression)).toBe(problem);
});
