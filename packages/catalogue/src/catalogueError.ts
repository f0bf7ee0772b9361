/** What is wrong with a price file, with the place: `prices.csv:12: …`. */
export class CatalogueError extends Error {
  readonly file: string;
  readonly line: number;

  constructor(file: string, line: number, message: string) {
    super(`${file}:${line}: ${message}`);
    this.name = 'CatalogueError';
    this.file = file;
    this.line = line;
  }
}
