import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** A longer line is cut: nobody reads it, and one line must not fill a terminal or a message. */
const longestLineBytes = 16 * 1024;
const blockBytes = 64 * 1024;
const newline = 10;

export interface FileLine {
  text: string;
  /** Offset in the file after the line's newline. */
  endOffset: number;
}

/**
 * The last `count` lines, read from the end; with a `limit` only whole ones that end at or before that offset.
 * Empty for a missing file.
 */
export function readLastLines(path: string, count: number, limit = Number.POSITIVE_INFINITY): FileLine[] {
  return withFile(path, (file, size) => {
    const end = Math.min(size, limit);
    let start = end;
    let text = Buffer.alloc(0);
    for (let newlines = 0; start > 0 && newlines <= count; ) {
      const block = readBlock(file, Math.max(0, start - blockBytes), start);
      newlines += countNewlines(block);
      start -= block.length;
      text = Buffer.concat([block, text]);
    }
    const { lines, endOffset } = splitLines(text, start);
    if (endOffset < end && limit === Number.POSITIVE_INFINITY) {
      lines.push({ text: lineText(text.subarray(endOffset - start)), endOffset: end });
    }
    return (start > 0 ? lines.slice(1) : lines).slice(-count);
  });
}

/** Whole lines between two offsets, and the offset after the last of them. */
export function readLines(path: string, from: number, to: number): { lines: FileLine[]; endOffset: number } {
  if (to <= from) return { lines: [], endOffset: from };
  const read = withFile(path, (file) => [readBlock(file, from, to)])[0];
  const { lines, endOffset } = splitLines(read ?? Buffer.alloc(0), from);
  if (lines.length > 0 || to - from < longestLineBytes) return { lines, endOffset };
  // A line without an end that is already too long: handed on as it is.
  return { lines: [{ text: lineText(read ?? Buffer.alloc(0)), endOffset: to }], endOffset: to };
}

/** Offset after the last newline at or before `size`. */
export function lastLineEnd(path: string, size: number): number {
  const from = Math.max(0, size - longestLineBytes);
  const block = withFile(path, (file) => [readBlock(file, from, size)])[0] ?? Buffer.alloc(0);
  const at = block.lastIndexOf(newline);
  return at < 0 ? size : from + at + 1;
}

function splitLines(text: Buffer, base: number): { lines: FileLine[]; endOffset: number } {
  const lines: FileLine[] = [];
  let start = 0;
  for (let end = text.indexOf(newline); end >= 0; end = text.indexOf(newline, start)) {
    lines.push({ text: lineText(text.subarray(start, end)), endOffset: base + end + 1 });
    start = end + 1;
  }
  return { lines, endOffset: base + start };
}

function lineText(line: Buffer): string {
  const whole = line.length <= longestLineBytes;
  const text = line.toString('utf8', 0, longestLineBytes).replace(/\r$/, '');
  return whole ? text : `${text} … (${line.length - longestLineBytes} more bytes)`;
}

function countNewlines(block: Buffer): number {
  let count = 0;
  for (let at = block.indexOf(newline); at >= 0; at = block.indexOf(newline, at + 1)) count++;
  return count;
}

function readBlock(file: number, from: number, to: number): Buffer {
  const block = Buffer.allocUnsafe(Math.max(0, to - from));
  return block.subarray(0, readSync(file, block, 0, block.length, from));
}

function withFile<Item>(path: string, read: (file: number, size: number) => Item[]): Item[] {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return [];
  }
  try {
    return read(file, fstatSync(file).size);
  } finally {
    closeSync(file);
  }
}
