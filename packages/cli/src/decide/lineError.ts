/** What is wrong with one line or one value, told to its writer as it is. */
export class LineError extends Error {
  override readonly name = 'LineError';
}
