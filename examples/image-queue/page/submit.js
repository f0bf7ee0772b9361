// @ts-check

/** @typedef {{ name: string, bytes: Blob | null, prompt?: string }} Submission */

/** Longest side that is sent. The model runs on a CPU: a larger picture is made smaller here, and its name says so. */
const longestSide = 256;

/** Sends each; gives what went wrong, or nothing. @param {Submission[]} submissions */
export async function send(submissions) {
  const problems = [];
  for (const submission of submissions) {
    try {
      const { bytes, name, prompt = '' } = submission;
      const fitted = bytes ? await fit(bytes) : null;
      const response = await fetch('pictures', {
        method: 'POST',
        headers: {
          'content-type': fitted?.type ?? 'application/octet-stream',
          'x-name': encodeURIComponent(name),
          'x-prompt': encodeURIComponent(prompt),
        },
        body: fitted,
      });
      if (!response.ok) problems.push(`${name}: ${(await response.json()).message}`);
    } catch (error) {
      problems.push(`${submission.name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  return problems.join(' · ');
}

/** @param {number} count */
export async function sendSamples(count) {
  /** @type {string[]} */
  const names = await (await fetch('samples')).json();
  const chosen = Array.from({ length: count }, (_, index) => names[index % names.length] ?? '');
  const blobs = new Map();
  for (const name of new Set(chosen)) blobs.set(name, await (await fetch(`samples/${name}`)).blob());
  return send(chosen.map((name) => ({ name, bytes: blobs.get(name) })));
}

/** PNG and JPEG of a small size as they are; all else redrawn as a PNG that fits. @param {Blob} picture */
async function fit(picture) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(picture);
  } catch {
    throw new Error('this is no picture that the browser can read');
  }
  const factor = Math.min(1, longestSide / Math.max(bitmap.width, bitmap.height));
  if (factor === 1 && (picture.type === 'image/png' || picture.type === 'image/jpeg')) return picture;
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * factor)));
  const canvas = new OffscreenCanvas(width ?? 1, height ?? 1);
  const context = canvas.getContext('2d');
  if (!context) throw new Error('the browser cannot redraw it');
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: 'image/png' });
}
