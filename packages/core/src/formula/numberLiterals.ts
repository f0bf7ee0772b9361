import { Refusal } from './problem.ts';
import type { Token } from './tokens.ts';

/** The value of a number token: an int, or a float where it has a dot or an exponent. */
export function numberValue(token: Token): bigint | number {
  const digits = token.text.replaceAll('_', '').toLowerCase();
  if (/^0[xob]|^\d+$/.test(digits)) return intValue(digits, token);
  const value = Number(digits);
  if (Number.isNaN(value)) throw new Refusal(`"${token.text}" is not a number`, token.at, token.text);
  if (!Number.isFinite(value)) throw new Refusal(`"${token.text}" does not fit into a float`, token.at, token.text);
  return value;
}

function intValue(digits: string, token: Token): bigint {
  if (!/^(0x[\da-f]+|0o[0-7]+|0b[01]+|\d+)$/.test(digits))
    throw new Refusal(`"${token.text}" is not a number`, token.at, token.text);
  const value = BigInt(digits);
  if (value >= 2n ** 63n) throw new Refusal(`"${token.text}" does not fit into 64 bits`, token.at, token.text);
  return value;
}
