/** A name as one part of a path: nothing in it leads elsewhere or hides the file. `decodeURIComponent` is the inverse. */
export function pathPart(name: string): string {
  return encodeURIComponent(name).replace(/^\./, '%2E');
}
