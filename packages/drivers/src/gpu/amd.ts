import type { MachineGpu } from '@ebb/core';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './runProgram.ts';

const amdVendor = '0x1002';
const displayClass = '0x03';
/** Less video memory than this is a processor's own graphics. */
const leastBytes = 1024 ** 3;

/**
 * AMD's GPUs, from what the kernel's driver shows in `/sys/class/drm`; no program is needed. Names come from there, else
 * from rocm-smi where it is installed, else they are `AMD GPU`. Never rejects.
 */
export async function findAmdGpus(options: {
  drmFolder: string;
  timeoutMs: number;
  env: NodeJS.ProcessEnv;
}): Promise<MachineGpu[]> {
  const cards = readCards(options.drmFolder);
  if (cards.length === 0) return [];
  const names = cards.every((card) => card.model) ? [] : await rocmNames(options);
  return cards.map(({ model, uniqueId, memoryBytes }, index) => ({
    index,
    vendor: 'amd',
    model: model || names[index] || 'AMD GPU',
    memoryBytes,
    // As ROCR_VISIBLE_DEVICES takes it.
    id: uniqueId ? `GPU-${uniqueId}` : String(index),
    mig: null,
  }));
}

function readCards(folder: string): { model: string; uniqueId: string; memoryBytes: number }[] {
  const names = list(folder).filter((name) => /^card\d+$/.test(name));
  names.sort((left, right) => Number(left.slice(4)) - Number(right.slice(4)));
  return names.flatMap((name) => {
    const read = (file: string) => text(join(folder, name, 'device', file));
    if (read('vendor') !== amdVendor) return [];
    // Compute cards are no displays: their class is a processing accelerator (0x12).
    const isGpu = read('class').startsWith(displayClass) || read('class').startsWith('0x12');
    const memoryBytes = Number(read('mem_info_vram_total'));
    if (!isGpu || !(memoryBytes >= leastBytes)) return [];
    return [{ model: read('product_name'), uniqueId: read('unique_id'), memoryBytes }];
  });
}

/** `{"card0": {"Card Series": "AMD Instinct MI250X", …}, …}` */
async function rocmNames({ timeoutMs, env }: { timeoutMs: number; env: NodeJS.ProcessEnv }): Promise<string[]> {
  const result = await runProgram('rocm-smi', ['--showproductname', '--json'], { timeoutMs, env });
  if (result.kind !== 'ended' || result.code !== 0) return [];
  return parseRocmNames(result.stdout);
}

/** Names in the order of the cards; empty where it is no JSON of rocm-smi. */
export function parseRocmNames(output: string): string[] {
  let cards: unknown;
  try {
    cards = JSON.parse(output);
  } catch {
    return [];
  }
  if (typeof cards !== 'object' || cards === null) return [];
  return Object.entries(cards)
    .filter(([name]) => /^card\d+$/.test(name))
    .sort(([left], [right]) => Number(left.slice(4)) - Number(right.slice(4)))
    .map(([, card]) => {
      const fields = typeof card === 'object' && card !== null ? (card as Record<string, unknown>) : {};
      const name = fields['Card Series'] ?? fields['Card series'] ?? fields['Card model'];
      return typeof name === 'string' ? name : '';
    });
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function text(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}
