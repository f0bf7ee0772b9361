import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chown, copyFile, cp, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, matchesGlob, relative } from 'node:path';
import { promisify } from 'node:util';
import { blobPath, ociFiles } from './ociArchive.ts';

const run = promisify(execFile);

interface Instruction {
  readonly word: string;
  readonly rest: string;
}

export interface ContainerfileOptions {
  /** Folder of the Containerfile, whose files are what is built from. */
  readonly context: string;
  /** For everything that comes of it. */
  readonly folder: string;
  readonly name: string;
  /** Who owns its data folder: what the tools of the base image do there is not run. */
  readonly user: number;
  readonly dataDirectory: string;
}

/**
 * Builds a Containerfile of two stages where there is no builder and no registry: what its first stage runs is run in a copy of the
 * context, what its second one copies is copied, and its settings are taken. In the place of the base image stand this process's own
 * Node and the libraries that it needs. Gives the path of an OCI archive.
 */
export async function buildContainerfile(options: ContainerfileOptions): Promise<string> {
  const { context, folder, name } = options;
  const stages = stagesOf(await readFile(join(context, 'Containerfile'), 'utf8'));
  const [first, last] = stages;
  if (stages.length !== 2 || !first || !last) throw new Error('the Containerfile has not two stages');
  const [build, root] = [join(folder, 'build'), join(folder, 'root')];
  await copyContext(context, build);
  const path = `${dirname(process.execPath)}:${process.env.PATH ?? ''}`;
  for (const { rest } of first.filter(({ word }) => word === 'RUN')) {
    await run('sh', ['-c', rest], { cwd: build, env: { ...process.env, PATH: path }, maxBuffer: 64 * 1024 * 1024 });
  }
  const home = first.find(({ word }) => word === 'WORKDIR')?.rest ?? '/';
  await baseFiles(root, options);
  for (const { rest } of last.filter(({ word }) => word === 'COPY')) await copyFromBuild(rest, { build, home, root });
  const layer = join(folder, 'layer.tar');
  await run('tar', ['--numeric-owner', '-C', root, '-cf', layer, '.']);
  const sum = await sumOf(layer);
  const files = ociFiles(name, { sha256: sum, size: (await stat(layer)).size }, settingsOf(last));
  const layout = join(folder, 'layout');
  await mkdir(dirname(join(layout, blobPath(sum))), { recursive: true });
  for (const { path, content } of files) await writeFile(join(layout, path), content);
  await rename(layer, join(layout, blobPath(sum)));
  const archive = join(folder, 'image.tar');
  await run('tar', ['-C', layout, '-cf', archive, '.']);
  for (const done of [build, root, layout]) await rm(done, { recursive: true, force: true });
  return archive;
}

/** The instructions of each stage; lines that go on in the next one are one. */
function stagesOf(text: string): Instruction[][] {
  const lines = text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
  const stages: Instruction[][] = [];
  for (const line of lines.filter((one) => one.trim() !== '')) {
    const [, word = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    if (word === 'FROM') stages.push([]);
    else stages.at(-1)?.push({ word, rest });
  }
  return stages;
}

/** Everything but what `.dockerignore` names. */
async function copyContext(context: string, build: string): Promise<void> {
  const patterns = (await readFile(join(context, '.dockerignore'), 'utf8')).split('\n').filter((line) => line !== '');
  const isIgnored = (path: string) => patterns.some((pattern) => matchesGlob(path, pattern));
  await cp(context, build, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => !isIgnored(relative(context, source)),
  });
}

/** `COPY --from=build FROM... TO`: into a folder where TO ends with a slash, else as TO. */
async function copyFromBuild(rest: string, at: { build: string; home: string; root: string }): Promise<void> {
  const [option, ...paths] = rest.split(/\s+/);
  const to = paths.pop();
  if (option !== '--from=build' || to === undefined) throw new Error(`COPY ${rest} is not understood here`);
  for (const from of paths) {
    const target = join(at.root, to.endsWith('/') ? join(to, from.slice(from.lastIndexOf('/') + 1)) : to);
    await mkdir(dirname(target), { recursive: true });
    await rename(join(at.build, relative(at.home, from)), target);
  }
}

/** Node, the libraries that it is linked with, a user and its data folder. */
async function baseFiles(root: string, { user, dataDirectory }: ContainerfileOptions): Promise<void> {
  const place = async (from: string, to: string) => {
    await mkdir(dirname(join(root, to)), { recursive: true });
    await copyFile(from, join(root, to));
  };
  await place(process.execPath, '/usr/local/bin/node');
  const { stdout } = await run('ldd', [process.execPath]);
  // `libc.so.6 => /lib/libc.so.6 (0x…)`, and the loader without an arrow.
  const libraries = [...stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].flatMap(([, path]) => path ?? []);
  for (const library of libraries) await place(library, library);
  await mkdir(join(root, 'etc'), { recursive: true });
  await writeFile(join(root, 'etc/passwd'), `root:x:0:0::/:/\nebb:x:${user}:${user}::${dataDirectory}:/\n`);
  const data = join(root, dataDirectory);
  await mkdir(dirname(data), { recursive: true });
  await mkdir(data, { mode: 0o750 });
  await chown(data, user, user);
}

/** As the configuration of an image has them. */
function settingsOf(stage: readonly Instruction[]): object {
  const all = (word: string) => stage.filter((one) => one.word === word).map(({ rest }) => rest);
  const listOf = (word: string): unknown => JSON.parse(all(word).at(-1) ?? '[]');
  return {
    Env: ['PATH=/usr/local/bin:/usr/bin:/bin', ...all('ENV').flatMap((rest) => rest.split(/\s+/))],
    User: all('USER').at(-1) ?? '',
    Entrypoint: listOf('ENTRYPOINT'),
    Cmd: listOf('CMD'),
  };
}

async function sumOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path)) hash.update(part as Buffer);
  return hash.digest('hex');
}
