/** A line of input, or that it was too long to be read. */
export type InputLine = { text: string } | { tooLong: true };

/** Longest line that is read, in characters. */
export const longestLine = 8 * 1024 * 1024;

/** The lines of a stream, ended by LF or CRLF, without ever holding more than one and a chunk. */
export async function* linesOf(chunks: AsyncIterable<string>, longest = longestLine): AsyncGenerator<InputLine> {
  let parts: string[] = [];
  let length = 0;
  const end = (): InputLine => {
    const line: InputLine = length > longest ? { tooLong: true } : { text: parts.join('').replace(/\r$/, '') };
    parts = [];
    length = 0;
    return line;
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let to = chunk.indexOf('\n'); to >= 0; to = chunk.indexOf('\n', from)) {
      take(chunk.slice(from, to));
      yield end();
      from = to + 1;
    }
    take(chunk.slice(from));
  }
  if (length > 0) yield end();

  function take(part: string): void {
    length += part.length;
    if (length <= longest) parts.push(part);
    else parts = [];
  }
}
