import { expect, test } from 'vitest';
import { TerminalView } from './terminalView.ts';

/** As much of a terminal as the view uses: a screen of lines, a cursor, and the codes that it writes. */
class Screen {
  columns = 40;
  rows = 8;
  lines: string[] = [''];
  cursorVisible = true;
  #row = 0;
  #column = 0;
  #resize: (() => void)[] = [];

  on(_: 'resize', listener: () => void) {
    this.#resize.push(listener);
  }

  off(_: 'resize', listener: () => void) {
    this.#resize = this.#resize.filter((other) => other !== listener);
  }

  resize(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
    for (const listener of this.#resize) listener();
  }

  write(text: string) {
    // oxlint-disable-next-line no-control-regex -- escape sequences are what is looked for
    for (const part of text.match(/\u001b\[[0-9;?]*[A-Za-z]|[^\u001b]/gu) ?? []) this.#take(part);
  }

  get text() {
    return this.lines.join('\n').trimEnd();
  }

  #take(part: string) {
    const line = this.lines[this.#row] ?? '';
    if (part === '\n') {
      this.#row += 1;
      this.#column = 0;
      this.lines[this.#row] ??= '';
    } else if (part === '\r') this.#column = 0;
    else if (part === '\u001b[K') this.lines[this.#row] = line.slice(0, this.#column);
    else if (part === '\u001b[J') {
      this.lines[this.#row] = line.slice(0, this.#column);
      this.lines.length = this.#row + 1;
    } else if (part === '\u001b[2J') this.lines = [''];
    else if (part === '\u001b[H') this.#row = this.#column = 0;
    else if (part === '\u001b[?25l') this.cursorVisible = false;
    else if (part === '\u001b[?25h') this.cursorVisible = true;
    else if (part.startsWith('\u001b[') && part.endsWith('A')) this.#row -= Number(part.slice(2, -1));
    else if (!part.startsWith('\u001b')) {
      this.lines[this.#row] = line.slice(0, this.#column).padEnd(this.#column) + part + line.slice(this.#column + 1);
      this.#column += 1;
    }
  }
}

test('a block is redrawn in place, kept lines stand above it, and the cursor comes back', () => {
  const screen = new Screen();
  screen.write('$ ebb up\n');
  let block = ['one', 'two', 'three'];
  const view = new TerminalView(screen, () => block);
  expect(screen.cursorVisible).toBe(false);
  view.print('serving');
  expect(screen.text).toBe('$ ebb up\nserving\none\ntwo\nthree');
  block = ['1', '2'];
  view.print('more');
  expect(screen.text).toBe('$ ebb up\nserving\nmore\n1\n2');
  block = ['uno', 'due', 'tre', 'quattro'];
  view.end(true);
  expect(screen.text).toBe('$ ebb up\nserving\nmore\nuno\ndue\ntre\nquattro');
  expect(screen.cursorVisible).toBe(true);
  screen.write('stopped\n');
  expect(screen.text.split('\n').at(-1)).toBe('stopped');
});

test('ending without the last frame leaves only what was printed', () => {
  const screen = new Screen();
  const view = new TerminalView(screen, () => ['frame', 'frame']);
  view.print('kept');
  view.end(false);
  screen.write('next\n');
  expect(screen.text).toBe('kept\nnext');
  view.end(true);
  view.refresh();
  expect(screen.text).toBe('kept\nnext');
});

test('a frame never fills the screen nor passes its edge', () => {
  const screen = new Screen();
  const view = new TerminalView(screen, () => Array.from({ length: 30 }, () => 'x'.repeat(100)));
  view.print();
  expect(screen.lines.filter((line) => line.startsWith('x'))).toHaveLength(7);
  expect(Math.max(...screen.lines.map((line) => line.length))).toBe(40);
  view.end(false);
});

test('a resize begins anew, with what was kept', () => {
  const screen = new Screen();
  const view = new TerminalView(screen, (width) => [`${width} columns`]);
  view.print('kept');
  screen.resize(20, 8);
  expect(screen.text).toBe('kept\n20 columns');
  view.end(true);
});
