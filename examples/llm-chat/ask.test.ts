import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { RecitingEngine } from './testing/recitingEngine.fixture.ts';
import { RunningServer } from './testing/runningServer.fixture.ts';

const script = fileURLToPath(new URL('ask.mjs', import.meta.url));

function ask(args: string[], input = ''): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [script, ...args], (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, stdout, stderr });
    });
    child.stdin?.end(input);
  });
}

it('shows the answer, and how fast it came', async () => {
  const engine = new RecitingEngine(['Grün', ' ist', ' 🌿', '.']);
  await using running = await RunningServer.start(engine);
  const flags = ['--url', running.url, '--model', 'reciter'];
  const { code, stdout, stderr } = await ask([...flags, '--temperature', '1', 'What', 'is green?']);
  expect([code, stdout]).toEqual([0, 'Grün ist 🌿.\n']);
  expect(stderr).toMatch(/^\(first token after \d+ ms, 4 tokens, \d+\/s\)\n$/);
  const piped = await ask([...flags, '--system', 'Be brief.'], 'What is green?\n');
  expect(piped.stdout).toBe('Grün ist 🌿.\n');
  expect(engine.started).toMatchObject([
    { promptTokens: 4, options: { temperature: 1 } },
    { promptTokens: 7, options: { temperature: 0.2 } },
  ]);
});

it('passes on why there is no answer', async () => {
  await using running = await RunningServer.start(new RecitingEngine([]));
  const url = ['--url', running.url];
  expect(await ask([...url, 'Hello?'])).toEqual({
    code: 1,
    stdout: '',
    stderr: 'ask: 404: the model "smollm2-135m-instruct" does not exist here; this server has "reciter"\n',
  });
  expect((await ask([...url, '--modle', 'x'])).stderr).toMatch(/^ask: Unknown option '--modle'/);
  await running.server.stop(0);
  expect((await ask([...url, 'Hello?'])).stderr).toBe('ask: nothing listens there; is the server running?\n');
});
