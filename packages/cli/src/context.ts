import type { ApplicationContext, StricliProcess } from '@stricli/core';
import type { ExitName } from './exitCodes.ts';
import { type Colors, colorsFor, wantsColor } from './text/colors.ts';
import { type Glyphs, glyphsFor } from './text/glyphs.ts';

/** A stream as far as a command needs it: both a terminal and a test's memory fit. */
export interface OutputStream {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
  rows?: number;
  on?(event: 'resize', listener: () => void): unknown;
  off?(event: 'resize', listener: () => void): unknown;
}

export interface ProcessLike {
  stdout: OutputStream;
  stderr: OutputStream;
  env: Record<string, string | undefined>;
}

/** All that a command touches besides files, sockets and time. Commands get it as `this`. */
export interface EbbContext extends ApplicationContext {
  readonly process: StricliProcess;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Record<string, string | undefined>;
  readonly workingDirectory: string;
  /** Colours for stdout and stderr, decided for each. */
  readonly colors: Colors;
  readonly errorColors: Colors;
  readonly glyphs: Glyphs;
  /** How the command ended; null where none ran (help, a word that is no command). */
  exit: ExitName | null;
  /** Writes lines to stdout: results only. */
  out(...lines: string[]): void;
  /** Writes lines to stderr: progress, hints and errors. */
  note(...lines: string[]): void;
  /** Writes one JSON value to stdout. */
  json(value: unknown): void;
}

function stricliStream(target: OutputStream, colored: boolean) {
  return {
    write: (text: string) => {
      target.write(text);
    },
    getColorDepth: () => (colored ? 8 : 1),
  };
}

function writeLines(target: OutputStream, lines: string[]): void {
  if (lines.length > 0) target.write(`${lines.join('\n')}\n`);
}

export function makeContext({ stdout, stderr, env }: ProcessLike, workingDirectory: string): EbbContext {
  const outColored = wantsColor(env, stdout.isTTY ?? false);
  const errorColored = wantsColor(env, stderr.isTTY ?? false);
  return {
    // Errors are coloured here and not by stricli, which would paint whole sentences.
    process: { stdout: stricliStream(stdout, outColored), stderr: stricliStream(stderr, false), env, exitCode: null },
    exit: null,
    stdout,
    stderr,
    env,
    workingDirectory,
    colors: colorsFor(outColored),
    errorColors: colorsFor(errorColored),
    glyphs: glyphsFor(env),
    out: (...lines) => writeLines(stdout, lines),
    note: (...lines) => writeLines(stderr, lines),
    json: (value) => writeLines(stdout, [JSON.stringify(value, null, 2)]),
  };
}
