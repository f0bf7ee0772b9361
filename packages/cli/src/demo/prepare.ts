import { Failure } from '../failure.ts';
import { type Picture, type PictureFolders, readPictures } from './pictures.ts';

export interface DemoPlan {
  /** Name of the workload that the pictures are for. */
  workload: string;
  pictures: Picture[];
}

/** Chooses the first workload with pictures beside it. Throws before anything was started. */
export function prepareDemo(folders: PictureFolders): DemoPlan {
  for (const [workload, folder] of folders) return { workload, pictures: readPictures(folder) };
  throw new Failure('usage', '--demo needs a workload with pictures beside it, in a folder `images`.', [
    'try: ebb up examples/upscaler/workload.yaml --demo',
  ]);
}
