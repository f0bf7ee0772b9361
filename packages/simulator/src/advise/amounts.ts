import { costText, threeDigits } from '../report/text.ts';
import type { Advice, Candidate } from './advice.ts';

export function monthText(candidate: Candidate, unit: Advice['unit']): string {
  return `${amountText(amountOf(candidate, unit), unit, candidate.currency)} a month`;
}

export const amountOf = ({ microAMonth, replicaHoursAMonth }: Candidate, unit: Advice['unit']) =>
  unit === 'micro' ? (microAMonth ?? 0) : replicaHoursAMonth;

/** Whole units from ten on: what comes from a trace is not known to the cent. */
export function amountText(amount: number, unit: Advice['unit'], currency: string | null): string {
  const sign = amount < 0 ? '−' : '';
  const size = Math.abs(amount);
  if (unit === 'hours') return `${sign}${threeDigits(size)} replica-hours`;
  const text = costText(String(Math.round(size)), currency);
  return (
    sign + (size >= 10e6 ? costText(String(Math.round(size / 1e6) * 1_000_000), currency).replace(/\.00/, '') : text)
  );
}

export function lateText(share: number): string {
  const percent = share * 100;
  if (percent === 0) return 'none';
  return percent < 0.01 ? 'less than 0.01 %' : `${Number(percent.toPrecision(percent < 10 ? 2 : 3))} %`;
}
