import { type Application, type CommandContext, generateHelpTextForAllCommands } from '@stricli/core';
import { expect, test } from 'vitest';
import { application } from './application.ts';
import { exitCodes } from './exitCodes.ts';
import { commandFolder, runMain } from './runMain.fixture.ts';
import { cliVersion } from './version.ts';

const { at, write } = commandFolder();
const ebb = (words: string[], env?: Record<string, string>) => runMain(words, at(), env);

const commandNames = [
  'up',
  'down',
  'status',
  'apply',
  'get',
  'delete',
  'logs',
  'explain',
  'recommend',
  'cost',
  'replay',
  'rehearse',
  'tune',
  'advise',
  'journal export',
  'validate',
  'import keda',
  'import kubernetes',
  'import karpenter',
  'import cluster-autoscaler',
  'computecluster create',
  'computecluster list',
  'computecluster delete',
  'nodepool create',
  'nodepool list',
  'nodepool delete',
  'deployment create',
  'deployment list',
  'deployment delete',
  'scalers',
  'list-instances',
  'plan',
  'node list',
  'node end',
  'kubernetes install',
  'kubernetes upgrade',
  'kubernetes uninstall',
  'kubernetes doctor',
  'kubernetes manifests',
  'kubernetes advice',
  'kubernetes device-plugin',
  'operator',
  'gateway',
  'take-over',
  'give-back',
  'decide',
  'doctor',
  'completion',
  'version',
];

test.each(commandNames)('ebb %s --help tells flags and examples', async (name) => {
  const { code, out, err } = await ebb([...name.split(' '), '--help']);
  expect(code).toBe(0);
  expect(err).toBe('');
  expect(out).toMatch(/^USAGE\n {2}ebb /);
  expect(out).toContain('--json');
  const examples = out.slice(out.indexOf('\nEXAMPLES\n')).match(/^ {2}\S.*$/gm) ?? [];
  expect(examples.length).toBeGreaterThanOrEqual(2);
  expect(examples.join('\n')).toContain(`ebb ${name}`);
});

test('the help lists every command, and every command is tested here', async () => {
  const { code, out } = await ebb(['--help']);
  expect(code).toBe(0);
  expect((await ebb([])).out).toBe(out);
  const listed = generateHelpTextForAllCommands(application as unknown as Application<CommandContext>).map(([route]) =>
    route.replace(/^ebb /, ''),
  );
  expect(listed).toEqual(commandNames);
  for (const name of commandNames) expect(out).toMatch(new RegExp(`^  ${name.split(' ')[0]} +\\S`, 'm'));
  for (const { code: exit } of Object.values(exitCodes)) expect(out).toMatch(new RegExp(`^ +${exit}  \\S`, 'm'));
  for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});

test('--version', async () => {
  expect(await ebb(['--version'])).toEqual({ code: 0, out: `${cliVersion}\n`, err: '' });
});

test.each([
  [['statsu'], 'Did you mean status?'],
  [['status', '--wacth'], 'Did you mean --watch?'],
  [['get'], 'KIND is missing'],
  [['get', 'workloda'], 'Did you mean "workload"?'],
  [['apply'], '--file'],
  [['apply', '-f', 'absent.yaml'], 'there is no file or folder "absent.yaml"'],
  [['up', '--api-port', '70000'], 'a port is a whole number from 0 to 65535'],
  [['logs', 'x', '--tail', '-1'], 'tail: expected a whole number, not "-1"'],
  [['down', 'now'], '"now" is one word too many'],
  [['get', 'wl', '-o', 'xml'], '--output is one of table, wide, json, yaml, not "xml"'],
  [['delete'], 'say what to delete'],
  [['explain', 'x', '--at', 'tomorrow'], '"tomorrow" is no moment'],
  [['completion', 'tcsh'], 'bash, zsh, fish'],
  [['operator', '--lease', 'ebb'], '--lease is a namespace and a name such as ebb-system/ebb, not "ebb"'],
  [['operator', '--namespace', 'A b'], '--namespace: "A b" is not a name'],
  [['gateway'], '--link-secret is missing'],
  [['gateway', '--link-secret', '/nowhere/at/all'], '--link-secret: /nowhere/at/all cannot be read'],
  [['gateway', '--grace', 'soon'], '--grace is a duration such as 5s or 2m, not "soon"'],
])('%j is refused with 2 and says how it is meant', async (words, message) => {
  const { code, out, err } = await ebb(words);
  expect(code).toBe(2);
  expect(err).toContain(message);
  expect(err).not.toMatch(/\n\s+at /);
  expect(out).toBe('');
});

test.each([['down'], ['status'], ['get', 'wl'], ['logs', 'x'], ['explain', 'x'], ['recommend'], ['delete', 'wl', 'x']])(
  'without a running Ebb `ebb %s` ends with 3 and a way on',
  async (...words) => {
    const { code, err } = await ebb(words);
    expect(code).toBe(3);
    expect(err).toContain(`no Ebb runs on ${at('.ebb')}`);
    expect(err).toContain('ebb up');
  },
);

test('with --json the failure is on stdout too', async () => {
  const { code, out, err } = await ebb(['status', '--json']);
  expect(code).toBe(3);
  expect(JSON.parse(out).error).toMatchObject({ exit: 'unreachable', code: 3 });
  expect(err).toContain('no Ebb runs');
});

test('an invalid document: every problem with its place, exit 2', async () => {
  write('wrong.yaml', 'apiVersion: ebb.dev/v1alpha1\nkind: Worklod\nmetadata:\n  name: x\nspec: {}\n');
  const { code, out, err } = await ebb(['validate', '-f', 'wrong.yaml']);
  expect(code).toBe(2);
  expect(out).toBe('');
  expect(err).toMatch(/wrong\.yaml:2:\d+: error: /);
  expect(err).toContain('did you mean "Workload"?');
  const json = await ebb(['validate', '-f', 'wrong.yaml', '--json']);
  expect(json.code).toBe(2);
  expect(JSON.parse(json.out)).toMatchObject({ valid: false, problems: [{ file: 'wrong.yaml', line: 2 }] });
  // Nothing was started for it.
  const up = await ebb(['up', 'wrong.yaml', '--data', 'data']);
  expect(up.code).toBe(2);
  expect(up.err).toContain('nothing was changed');
});

test('a demo without pictures is refused before anything starts', async () => {
  const { code, err } = await ebb(['up', '--demo', '--data', 'data']);
  expect(code).toBe(2);
  expect(err).toContain('--demo needs a workload with pictures beside it');
});

test.each(['bash', 'zsh', 'fish'])('completion script of %s', async (shell) => {
  const { code, out } = await ebb(['completion', shell]);
  expect(code).toBe(0);
  expect(out).toContain('ebb __complete');
  expect(JSON.parse((await ebb(['completion', shell, '--json'])).out)).toEqual({ shell, script: out });
});

test.each([
  [['st'], ['status']],
  [
    ['get', 'workl'],
    ['workloads', 'workload'],
  ],
  [['status', '--w'], ['--watch']],
  [
    ['get', 'wl', '-o', ''],
    ['table', 'wide', 'json', 'yaml'],
  ],
  [['logs', ''], []],
])('completing %j offers %j', async (words, offered) => {
  const { code, out } = await ebb(['__complete', ...words]);
  expect(code).toBe(0);
  expect(
    out
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split('\t')[0]),
  ).toEqual(expect.arrayContaining(offered));
});

test('no colours in a pipe, colours when asked for', async () => {
  const escape = '\u001b[';
  expect((await ebb(['down'])).err).not.toContain(escape);
  expect((await ebb(['down'], { FORCE_COLOR: '1' })).err).toContain(escape);
  expect((await ebb(['--help'], { FORCE_COLOR: '1' })).out).toContain(escape);
  expect((await ebb(['--help'], { FORCE_COLOR: '1', NO_COLOR: '1' })).out).not.toContain(escape);
});

test('doctor looks at everything and says it in JSON too', async () => {
  const { out } = await ebb(['doctor', '--json', '--api-port', '0', '--gateway-port', '0']);
  const { checks } = JSON.parse(out);
  const names = checks.map(({ name }: { name: string }) => name);
  expect(names).toEqual(
    expect.arrayContaining(['Node', 'platform', 'Python', 'API port', 'data folder', 'accelerator']),
  );
});
