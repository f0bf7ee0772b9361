// Plain JavaScript that Node 18 and later can run: it finds (or has npm bring) the Node that Ebb runs on.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const stampFile = join(root, 'node_modules', '.ebb-installed.json');

/** Whether this very process is new enough: node:sqlite without a flag and type stripping (22.22). */
function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 22);
}

/** Path of the Node to run Ebb with: the one npm brought, else this one if it is new enough, else null. */
export function findNode() {
  const brought = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(brought)) return brought;
  return isNewEnough(process.versions.node) ? process.execPath : null;
}

export function explainOldNode() {
  return (
    `Ebb runs on Node 22.22 or newer, this is ${process.versions.node}, and npm has no Node for ` +
    `${process.platform}-${process.arch} to bring: install Node 24 and try again.`
  );
}

function lockHash() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
    .slice(0, 16);
}

/** What is installed: 'nothing', 'run' (no development parts) or 'all', for the lock file as it is now. */
function installedParts() {
  try {
    const stamp = JSON.parse(readFileSync(stampFile, 'utf8'));
    return stamp.lock === lockHash() ? stamp.parts : 'nothing';
  } catch {
    return 'nothing';
  }
}

/**
 * Runs `npm ci` if what is needed is not there yet. `parts`: 'run' leaves out what only tests and lint need.
 * Returns the milliseconds it took; 0 when there was nothing to do.
 */
export function install(parts, log = (line) => process.stderr.write(`${line}\n`)) {
  const have = installedParts();
  if (have === parts || have === 'all') return 0;
  const startedAt = Date.now();
  log(`installing ${parts === 'run' ? 'what running needs' : 'everything, tests included'} …`);
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  if (parts === 'run') args.push('--omit=dev');
  const npm = process.env.npm_execpath;
  const command = npm ? [process.execPath, npm, ...args] : ['npm', ...args];
  // An outer `npm start --something` must not leak its own settings into this install.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(config_(omit|include|only|production)|package_|lifecycle_)/i.test(name),
    ),
  );
  const result = spawnSync(command[0], command.slice(1), { cwd: root, stdio: ['ignore', 2, 2], env });
  if (result.status !== 0) {
    log('ebb: npm ci failed; the lines above say why. Nothing was started.');
    process.exit(result.status || 1);
  }
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, `${JSON.stringify({ lock: lockHash(), parts })}\n`);
  return Date.now() - startedAt;
}

/**
 * Compiles a project and what it refers to, by default all packages (incremental: a second call takes about a second).
 * Returns milliseconds.
 */
export function build(node, log = (line) => process.stderr.write(`${line}\n`), project = '.') {
  const startedAt = Date.now();
  const tsc = join(root, 'node_modules', 'tsgo', 'bin', 'tsc');
  const result = spawnSync(node, [tsc, '-b', join(root, project)], { cwd: root, stdio: ['ignore', 2, 2] });
  if (result.status !== 0) {
    log('ebb: the build failed; the lines above say why.');
    process.exit(result.status || 1);
  }
  return Date.now() - startedAt;
}
