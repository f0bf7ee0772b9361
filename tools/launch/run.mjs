// Plain JavaScript behind the npm scripts: brings Node and the packages, then runs the task on that Node.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { build, explainOldNode, findNode, install, root } from './node24.mjs';

const [task = 'test', ...args] = process.argv.slice(2);

install('all');
const node = findNode();
if (!node) {
  console.error(explainOldNode());
  process.exit(1);
}
const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };

const module = (path) => join(root, 'node_modules', path);
const tools = {
  vitest: module('vitest/vitest.mjs'),
  oxlint: module('oxlint/bin/oxlint'),
  biome: module('@biomejs/biome/bin/biome'),
  knip: module('knip/bin/knip.js'),
  tsc: module('tsgo/bin/tsc'),
};

/** Runs one program on Ebb's Node and returns its exit status. */
function run(script, scriptArgs) {
  const result = spawnSync(node, [script, ...scriptArgs], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env });
  return result.status ?? 1;
}

/** Runs a vitest project and ends with the plain line `N passed, N failed`. */
function runTests(project, testArgs) {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-test-'));
  const report = join(folder, 'report.json');
  try {
    const status = run(tools.vitest, [
      'run',
      '--project',
      project,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      // One more than two cores: many of these tests wait for processes and sockets. Other tiers start servers of their own.
      ...(project === 'unit' ? ['--maxWorkers=3'] : []),
      ...testArgs,
    ]);
    if (!existsSync(report)) {
      console.log('0 passed, 1 failed');
      return status || 1;
    }
    const result = JSON.parse(readFileSync(report, 'utf8'));
    const brokenFiles = result.testResults.filter(
      (file) => file.status === 'failed' && file.assertionResults.length === 0,
    ).length;
    const failed = result.numFailedTests + brokenFiles;
    const skipped = result.numPendingTests + result.numTodoTests;
    // An error outside of any test makes vitest exit non-zero with every test green: count it.
    const outside = failed === 0 && status !== 0 ? 1 : 0;
    console.log(
      `${result.numPassedTests} passed, ${failed + outside} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
    );
    return status || (failed > 0 ? 1 : 0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Each static check in turn; all are run, so that one call shows everything. */
function check() {
  const steps = [
    ['types of the tests', () => run(tools.tsc, ['-p', 'tsconfig.test.json'])],
    ['lint', () => run(tools.oxlint, ['--type-aware', '--deny-warnings'])],
    ['format', () => run(tools.biome, ['format', '.'])],
    ['unused code', () => run(tools.knip, [])],
    ['generated files', () => run(join(root, 'tools/docs/generate.mjs'), ['--check'])],
  ];
  const failed = steps.filter(([name, step]) => {
    console.log(`check: ${name}`);
    return step() !== 0;
  });
  for (const [name] of failed) console.log(`check failed: ${name}`);
  return failed.length === 0 ? 0 : 1;
}

const tasks = {
  test: () => (build(node), runTests('unit', args)),
  'test:services': () => (build(node), runTests('services', args)),
  'test:kubernetes': () => (build(node), runTests('kubernetes', args)),
  'test:browser': () => (build(node), runTests('browser', args)),
  'test:fidelity': () => (build(node), run(join(root, 'e2e/fidelity/run.ts'), args)),
  build: () => (build(node), 0),
  lint: () => run(tools.oxlint, ['--type-aware', '--deny-warnings', ...args]),
  format: () => run(tools.biome, ['format', '--write', '.', ...args]),
  check: () => (build(node), check()),
  docs: () => (build(node), run(join(root, 'tools/docs/generate.mjs'), args)),
  bench: () => (build(node), run(join(root, 'bench/main.mjs'), args)),
};

if (!tasks[task]) {
  console.error(`unknown task "${task}"; there are: ${Object.keys(tasks).join(', ')}`);
  process.exit(2);
}
process.exit(tasks[task]());
