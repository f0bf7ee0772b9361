/** Where in a text a list, or what belongs to its elements, stands too far left. */
export interface LostLine {
  /** Of the first letter of the line. */
  offset: number;
  message: string;
}

/** How much of a line is looked at for its key: a pattern takes time with the square of what it reads. */
const maxKeyLength = 300;

interface Line {
  offset: number;
  indent: number;
  isDash: boolean;
  /** The key that the line begins with, after dashes, and its column. */
  key: string | null;
  keyColumn: number;
  hasValue: boolean;
}

/**
 * For a text that is not YAML: the first line between two offsets whose indentation tells why. Either a list stands
 * further left than the key it belongs to, or a key stands right below the dash of the element it belongs to.
 */
export function lostListIndentation(text: string, from: number, start: number, end: number): LostLine | null {
  const lines = linesOf(text, from, end);
  for (const [index, line] of lines.entries()) {
    if (line.offset + line.indent < start) continue;
    const above = lines[index - 1];
    if (above === undefined) continue;
    if (line.isDash) {
      const isTooFarLeft = above.key !== null && !above.hasValue && line.indent < above.keyColumn;
      if (!isTooFarLeft || continuesList(lines, index)) continue;
      return {
        offset: line.offset + line.indent,
        message: `the indentation is lost: the elements of \`${above.key}\` stand further left than \`${above.key}\``,
      };
    }
    const sibling = lines.slice(0, index).findLast(({ indent }) => indent <= line.indent);
    if (line.key === null || sibling?.isDash !== true || sibling.indent !== line.indent) continue;
    return {
      offset: line.offset + line.indent,
      message: `the indentation is lost: \`${line.key}\` stands below the dash of the element it belongs to, and not behind it`,
    };
  }
  return null;
}

/** Whether an earlier dash at the same column is still open, so that the line is its next element. */
function continuesList(lines: readonly Line[], index: number): boolean {
  const { indent } = lines[index] ?? { indent: 0 };
  const sibling = lines.slice(0, index).findLast((line) => line.indent <= indent);
  return sibling?.isDash === true && sibling.indent === indent;
}

/** The lines that say something; those of block texts (`|`, `>`) and comments are left out. */
function linesOf(text: string, from: number, end: number): Line[] {
  const lines: Line[] = [];
  let blockIndent: number | null = null;
  for (let at = text.lastIndexOf('\n', from - 1) + 1; at <= end && at < text.length; ) {
    const next = text.indexOf('\n', at);
    const raw = text.slice(at, next < 0 ? text.length : next).trimEnd();
    const offset = at;
    at = next < 0 ? text.length : next + 1;
    const body = raw.trimStart();
    const indent = raw.length - body.length;
    if (body === '' || body.startsWith('#')) continue;
    if (/^(---|\.\.\.)(\s|$)/.test(raw)) lines.length = 0;
    if (blockIndent !== null && indent > blockIndent) continue;
    blockIndent = null;
    const dashes = /^(?:-\s+)*(?:-$)?/.exec(body)?.[0] ?? '';
    const rest = body.slice(dashes.length, dashes.length + maxKeyLength);
    const key = /^(?:"([^"]+)"|'([^']+)'|([^\s#"'[\]{},&*!|>%@`][^:#]*?))\s*:(?=\s|$)\s*(.*)$/.exec(rest);
    const value = key?.[4]?.replace(/(^|\s)#.*$/, '') ?? '';
    if (/^[|>][-+0-9]*$/.test(key === null ? rest : value)) blockIndent = indent;
    lines.push({
      offset,
      indent,
      isDash: body === '-' || body.startsWith('- '),
      key: key?.[1] ?? key?.[2] ?? key?.[3] ?? null,
      keyColumn: indent + dashes.length,
      hasValue: value !== '',
    });
  }
  return lines;
}
