import { expect, it } from 'vitest';
import { runOf } from '../testing/agentUnderTest.ts';
import { planRun, statusOf } from './runWrapper.ts';

it.each([
  [[], null],
  [['pid 12'], 12],
  [['pid 12', 'Killed'], 12],
])('lines %j tell of no end', (lines, pid) => {
  expect(statusOf(lines)).toEqual({ pid, end: null });
});

it.each([
  [['exit 0'], 0, null, 'exit code 0'],
  [['exit 3'], 3, 'exit', 'exit code 3'],
  [['exit 137'], 137, 'exit', 'exit code 137'],
  [['Killed', 'exit 137'], null, 'signal', 'ended by SIGKILL'],
  [['ebb: line 5: 10824 Killed   ( exec "$@" 2>&4 4>&- )', 'exit 137'], null, 'signal', 'ended by SIGKILL'],
  [['Segmentation fault (core dumped)', 'exit 139'], null, 'signal', 'ended by SIGSEGV'],
  [['exit 130'], null, 'signal', 'ended by SIGINT'],
  [['exit 255'], 255, 'exit', 'exit code 255'],
])('lines %j tell how it ended', (lines, exitCode, failure, message) => {
  expect(statusOf(['pid 12', ...lines])).toEqual({ pid: 12, end: { exitCode, failure, message } });
});

it('values of the environment never stand among the arguments, which everybody can read', () => {
  for (const name of ['TOKEN', 'service.token']) {
    const { args, environment } = planRun(runOf('a', ['/bin/true'], { env: { [name]: 'secret-value' } }), {});
    expect(args.join(' ')).not.toContain('secret-value');
    expect(JSON.stringify(environment)).toContain('secret-value');
  }
});
