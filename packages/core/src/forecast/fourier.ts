import { objectOf } from '../replicas/algorithms/storedJson.ts';
import type { Json } from '../replicas/types.ts';
import { at, dayMs, expectileStep, hourMs, quarterMs, rounded, storedNumbers, weekMs } from './numbers.ts';
import { SlotMeter } from './slotMeter.ts';
import type { DemandSpan, Forecaster, ForecasterType, ResolvedSettings } from './types.ts';

/** 1, three harmonics of a day, two of a week. */
const dayHarmonics = 3;
const weekHarmonics = 2;
const terms = 1 + 2 * (dayHarmonics + weekHarmonics);
const triangle = (terms * (terms + 1)) / 2;
/** Half of an hour's weight is gone after two weeks. */
const keep = 0.5 ** (1 / 336);
const upWeight = 0.3;
const downWeight = 0.075;
const digits = 6;
/** The matrix is kept in millionths: its diagonal settles near 0.013. */
const millionth = 1e6;
/** How little the first weights are held to 0: week terms more than day terms, which a day already shows. */
const firstSpread = (term: number): number => (term <= 2 * dayHarmonics ? 10 : 1);

const cell = (row: number, column: number): number =>
  row >= column ? (row * (row + 1)) / 2 + column : (column * (column + 1)) / 2 + row;

/**
 * A few harmonics of a day and a week, fitted to hourly peaks by recursive least squares that forgets: smooth where a
 * profile by slots is ragged. It expects the curve plus the 0.8-expectile of its own errors so far.
 * Source: Haykin, Adaptive Filter Theory, chapter on RLS; Fourier forecasts of calls as in IceBreaker, ASPLOS 2022.
 */
class Fourier implements Forecaster {
  readonly #weights: Float64Array;
  /** Lower triangle of the inverse correlation matrix. */
  readonly #inverse: Float64Array;
  readonly #meter: SlotMeter;
  readonly #offsetMs: number;
  /** Hours learnt, margin. */
  readonly #state: Float64Array;
  readonly #basis = new Float64Array(terms);
  readonly #gain = new Float64Array(terms);

  constructor(memory: Json | undefined, settings: ResolvedSettings) {
    const stored = objectOf(memory);
    const weights = storedNumbers(stored.weights, terms);
    const inverse = storedNumbers(stored.inverse, triangle);
    const state = storedNumbers(stored.state, 2);
    const isWhole = weights !== null && inverse !== null && state !== null;
    this.#weights = isWhole ? weights : new Float64Array(terms);
    this.#inverse = isWhole ? inverse.map((value) => value / millionth) : new Float64Array(triangle);
    this.#state = isWhole ? state : new Float64Array(2);
    if (!isWhole) this.#begin();
    this.#offsetMs = settings.utcOffsetMs;
    this.#meter = new SlotMeter(stored.open, hourMs, settings.utcOffsetMs, (hour, _mean, peak) =>
      this.#update((hour + 0.5) * hourMs, peak),
    );
  }

  #begin(): void {
    this.#weights.fill(0);
    this.#state.fill(0);
    this.#inverse.fill(0);
    for (let term = 0; term < terms; term += 1) this.#inverse[cell(term, term)] = firstSpread(term);
  }

  learn(span: DemandSpan): void {
    this.#meter.add(span);
  }

  /** The curve at a moment of local time; leaves its terms in `#basis`. */
  #curveAt(localMs: number): number {
    const basis = this.#basis;
    basis[0] = 1;
    fillHarmonics(basis, 1, dayHarmonics, (2 * Math.PI * (localMs % dayMs)) / dayMs);
    fillHarmonics(basis, 1 + 2 * dayHarmonics, weekHarmonics, (2 * Math.PI * (localMs % weekMs)) / weekMs);
    let value = 0;
    for (let term = 0; term < terms; term += 1) value += at(this.#weights, term) * at(basis, term);
    return value;
  }

  #update(localMs: number, peak: number): void {
    const error = peak - this.#curveAt(localMs);
    let spread = keep;
    for (let row = 0; row < terms; row += 1) {
      let sum = 0;
      for (let column = 0; column < terms; column += 1) {
        sum += at(this.#inverse, cell(row, column)) * at(this.#basis, column);
      }
      this.#gain[row] = sum;
      spread += sum * at(this.#basis, row);
    }
    // Rounding may in the end leave a matrix that is none of this kind: start over rather than follow it.
    if (!(spread > keep / 2)) return this.#begin();
    for (let row = 0; row < terms; row += 1) {
      const gain = at(this.#gain, row) / spread;
      this.#weights[row] = rounded(at(this.#weights, row) + gain * error, digits);
      for (let column = 0; column <= row; column += 1) {
        const index = cell(row, column);
        const next = (at(this.#inverse, index) - gain * at(this.#gain, column)) / keep;
        this.#inverse[index] = Math.round(next * millionth) / millionth;
      }
    }
    const [hours = 0, margin = 0] = this.#state;
    this.#state[0] = hours + 1;
    // Errors of the first day are those of a curve that has not seen one.
    if (hours >= 24) this.#state[1] = rounded(expectileStep(margin, error, upWeight, downWeight), digits);
  }

  peakWithin(fromMs: number, toMs: number): number | null {
    const [hours = 0, margin = 0] = this.#state;
    if (hours < 24) return null;
    let largest = this.#curveAt(toMs + this.#offsetMs);
    const end = Math.min(toMs, fromMs + dayMs);
    for (let ms = fromMs; ms < end; ms += quarterMs) largest = Math.max(largest, this.#curveAt(ms + this.#offsetMs));
    return Math.max(0, largest + Math.max(0, margin));
  }

  because(): Record<string, number> {
    const [hours = 0, margin = 0] = this.#state;
    return { hours, mean: at(this.#weights, 0), margin: Math.max(0, margin) };
  }

  toJson(): Json {
    return {
      weights: [...this.#weights],
      inverse: Array.from(this.#inverse, (value) => Math.round(value * millionth)),
      state: [...this.#state],
      open: this.#meter.toJson(),
    };
  }
}

/** Cosine and sine of 1, 2, … times the angle, by the addition theorem. */
function fillHarmonics(basis: Float64Array, first: number, count: number, angle: number): void {
  const cosine = Math.cos(angle);
  const sine = Math.sin(angle);
  let c = 1;
  let s = 0;
  for (let harmonic = 0; harmonic < count; harmonic += 1) {
    [c, s] = [c * cosine - s * sine, s * cosine + c * sine];
    basis[first + 2 * harmonic] = c;
    basis[first + 2 * harmonic + 1] = s;
  }
}

export const fourier: ForecasterType = {
  name: 'fourier',
  isStated: false,
  open: (memory, settings) => new Fourier(memory, settings),
};
