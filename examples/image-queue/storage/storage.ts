/** Where pictures and results are kept, seen by the page and by every Job. Keys are like `abc/result.png`. */
export interface Storage {
  /** For a person: the folder, or server and bucket. */
  readonly place: string;
  /** Whole or not at all: nobody ever reads half of it. */
  put(key: string, bytes: Uint8Array, contentType: string): Promise<void>;
  /** Throws `NotStored` where there is no such key. */
  get(key: string): Promise<Buffer>;
}

export class NotStored extends Error {
  constructor(key: string, place: string) {
    super(`there is no ${key} in ${place}`);
  }
}
