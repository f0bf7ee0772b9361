// @ts-check
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-wasm';

/** How many times larger each side becomes. */
export const scale = 4;

/** Longest side of one tile. It bounds the memory of a run (wasm memory never shrinks) and how late a cancel is seen. */
const tileSide = 128;

/** Pixels around a tile that its result depends on: the sum of the radii of the model's convolutions. */
const halo = 10;

/**
 * @typedef {object} Model
 * @property {(rgb: Uint8Array, width: number, height: number, signal?: AbortSignal) => Promise<Uint8Array>} upscale
 *   Takes and gives packed RGB rows. Throws the signal's reason when it is aborted between two tiles.
 * @property {() => number} tensorCount Tensors alive; constant between runs unless something leaks.
 */

/**
 * Loads the weights from the package's files (no network) and runs once, so that the first request is not the slow one.
 * @returns {Promise<Model>}
 */
export async function loadModel() {
  tf.enableProdMode();
  await tf.setBackend('wasm');
  const layers = await loadLayersModel({ load: readArtifacts });

  /** @type {Model['upscale']} */
  async function upscale(rgb, width, height, signal) {
    const result = new Uint8Array(width * scale * height * scale * 3);
    for (const tile of tilesOf(width, height)) {
      // Lets a cancel in before every tile: the run itself blocks this thread.
      await nextTurn();
      signal?.throwIfAborted();
      const pixels = tf.tidy(() => {
        const input = tf.tensor4d(cut(rgb, width, tile.outer), [1, tile.outer.height, tile.outer.width, 3]);
        const [output] = [layers.predict(input)].flat();
        if (!output) throw new Error('the model has no output');
        return tf.clipByValue(output, 0, 255);
      });
      paste(result, width, tile, pixels.dataSync());
      pixels.dispose();
    }
    return result;
  }

  await upscale(new Uint8Array(64 * 64 * 3), 64, 64);
  return { upscale, tensorCount: () => tf.memory().numTensors };
}

/** @returns {Promise<import('@tensorflow/tfjs-core').io.ModelArtifacts>} */
async function readArtifacts() {
  // The package exports its definitions but not its weights, which lie at a path relative to the package's root.
  const require = createRequire(import.meta.url);
  const folder = join(packageRoot(require.resolve('@upscalerjs/esrgan-slim')), 'models', `x${scale}`);
  const { modelTopology, weightsManifest } = JSON.parse(await readFile(join(folder, 'model.json'), 'utf8'));
  const [group] = weightsManifest;
  const weights = await readFile(join(folder, group.paths[0]));
  // A copy: readFile's buffer may be part of a larger one.
  return { modelTopology, weightSpecs: group.weights, weightData: new Uint8Array(weights).buffer };
}

/** @param {string} file @returns {string} */
function packageRoot(file) {
  const marker = join('@upscalerjs', 'esrgan-slim');
  return file.slice(0, file.lastIndexOf(marker) + marker.length);
}

/** @typedef {{ left: number, top: number, width: number, height: number }} Box */
/** @typedef {{ inner: Box, outer: Box }} Tile inner is what it gives, outer is what the model has to see for that. */

/** @param {number} width @param {number} height @returns {Tile[]} */
function tilesOf(width, height) {
  return spans(height).flatMap((y) =>
    spans(width).map((x) => ({
      inner: { left: x.from, top: y.from, width: x.to - x.from, height: y.to - y.from },
      outer: { left: x.outerFrom, top: y.outerFrom, width: x.outerTo - x.outerFrom, height: y.outerTo - y.outerFrom },
    })),
  );
}

/** @param {number} side */
function spans(side) {
  const count = Math.ceil(side / tileSide);
  return Array.from({ length: count }, (_, index) => {
    const from = Math.round((index * side) / count);
    const to = Math.round(((index + 1) * side) / count);
    return { from, to, outerFrom: Math.max(0, from - halo), outerTo: Math.min(side, to + halo) };
  });
}

/** @param {Uint8Array} rgb @param {number} width @param {Box} box */
function cut(rgb, width, box) {
  const rows = new Float32Array(box.width * box.height * 3);
  for (let y = 0; y < box.height; y += 1) {
    const start = ((box.top + y) * width + box.left) * 3;
    rows.set(rgb.subarray(start, start + box.width * 3), y * box.width * 3);
  }
  return rows;
}

/**
 * Writes the inner part of a tile's result to its place in the whole.
 * @param {Uint8Array} result @param {number} width @param {Tile} tile @param {ArrayLike<number>} pixels
 */
function paste(result, width, { inner, outer }, pixels) {
  const rowLength = inner.width * scale * 3;
  for (let y = 0; y < inner.height * scale; y += 1) {
    let from = (((inner.top - outer.top) * scale + y) * outer.width + (inner.left - outer.left)) * scale * 3;
    let to = ((inner.top * scale + y) * width + inner.left) * scale * 3;
    for (const end = to + rowLength; to < end; to += 1, from += 1) result[to] = Math.round(pixels[from] ?? 0);
  }
}
