import { BadImage, decode, encodePng, type ImageType, readSize } from '../../upscaler/images.mjs';
import { loadModel, scale } from '../../upscaler/model.mjs';
import { longestSide } from './limits.ts';
import { CannotBeDone, type WorkRequest, type WorkResult } from './work.ts';

/** Four times as large, by the ESRGAN model of the upscaler example. */
export async function upscale({ input, stop, onStarted }: WorkRequest): Promise<WorkResult> {
  if (!input) {
    throw new CannotBeDone(
      'the message has a prompt and no picture; the model that ships enlarges pictures and makes none from text',
    );
  }
  try {
    const type: ImageType = input[0] === 0xff ? 'image/jpeg' : 'image/png';
    const size = readSize(input, type);
    if (Math.max(size.width, size.height) > longestSide) {
      throw new BadImage(`no side may be longer than ${longestSide} px; it is ${size.width}x${size.height}`);
    }
    const picture = decode(input, type);
    const model = await loadModel();
    stop.throwIfAborted();
    onStarted();
    const beganAtMs = performance.now();
    const rgb = await model.upscale(picture.rgb, picture.width, picture.height, stop);
    const workMs = performance.now() - beganAtMs;
    const large = { width: picture.width * scale, height: picture.height * scale };
    return { ...large, png: encodePng({ ...large, rgb }), workMs };
  } catch (error) {
    if (error instanceof BadImage) throw new CannotBeDone(error.message, { cause: error });
    throw error;
  }
}
