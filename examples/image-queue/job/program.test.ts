import { describe, expect, it } from 'vitest';
import { runProgram } from './program.ts';
import { CannotBeDone, type WorkRequest } from './work.ts';

/** Runs a line of JavaScript as the program. */
const script = (text: string) =>
  runProgram([process.execPath, '--input-type=module', '-e', `import fs from 'node:fs';\n${text}`]);

function request(change: Partial<WorkRequest> = {}): WorkRequest {
  return {
    task: { id: 'a', name: 'a', input: 'a/o.png', output: 'a/r.png', prompt: 'a lighthouse', submittedAt: 0 },
    input: png,
    stop: new AbortController().signal,
    onStarted: () => {},
    ...change,
  };
}

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAYAAACddGYaAAAAC0lEQVR42mNgQAcAABIAAeRVjecAAAAASUVORK5CYII=',
  'base64',
);

describe('a program in the place of the model', () => {
  it('is given the picture and writes its result', async () => {
    const result = await script('fs.copyFileSync(process.env.INPUT, process.env.OUTPUT)')(request());
    expect(result).toMatchObject({ width: 3, height: 2 });
    expect(result.png.equals(png)).toBe(true);
  });

  it('is given the prompt, and the message on stdin; without a picture there is no INPUT', async () => {
    const text = `
      const { id } = JSON.parse(fs.readFileSync(0, 'utf8'));
      if (id !== 'a' || process.env.PROMPT !== 'a lighthouse' || 'INPUT' in process.env) process.exit(1);
      fs.writeFileSync(process.env.OUTPUT, Buffer.from('${png.toString('base64')}', 'base64'));`;
    expect(await script(text)(request({ input: null }))).toMatchObject({ width: 3 });
  });

  it.each([
    ['that fails', 'process.exit(3)', /ended with 3/],
    ['that writes nothing', '', /wrote no/],
    ['that writes no PNG', "fs.writeFileSync(process.env.OUTPUT, 'hello'.repeat(9))", /no PNG/],
  ])('%s: the message goes back', async (_name, text, why) => {
    const failure: unknown = await script(text)(request()).catch((error: unknown) => error);
    expect(failure).not.toBeInstanceOf(CannotBeDone);
    expect(String(failure)).toMatch(why);
  });

  it('may say that it can never be done', async () => {
    await expect(script('process.exit(65)')(request())).rejects.toThrow(CannotBeDone);
  });

  it('that is not there: the error names it', async () => {
    await expect(runProgram(['no-such-program'])(request())).rejects.toThrow('no-such-program');
  });

  it('is ended when the work is given up', async () => {
    const stop = new AbortController();
    const work = script('setInterval(() => {}, 1000)')(request({ stop: stop.signal, onStarted: () => stop.abort() }));
    await expect(work).rejects.toThrow(/abort/i);
  });
});
