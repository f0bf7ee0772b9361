import { openForecast } from '../../forecast/forecast.ts';
import type { ForecasterName } from '../../forecast/types.ts';
import type { Json } from '../types.ts';

/** What is due at the same time of day or week. What is recent is the levels' business. */
const followed: readonly ForecasterName[] = ['day-profile', 'day-mean', 'week-profile', 'holt-winters', 'fourier'];
const bucketMs = 60_000;
/** Beside the levels a forecast pays only where it saves much. */
const leastSaving = 0.15;

export interface ForesightTerms {
  nowMs: number;
  slots: number;
  coldStartSeconds: number;
  latePriceSeconds: number;
  serviceSeconds: number;
  /** Slots and replicas that are needed now, and what is asked for without any forecast. */
  demand: number;
  needed: number;
  asked: number;
}

export interface Foresight {
  /** Replicas that should be there; 0: nobody says anything. */
  floor: number;
  forecaster: string | null;
  confidence: number;
  lookAgainAtMs: number | null;
  memory: Json;
}

/**
 * The floor that a trusted forecast asks for over the next cold start. It may only raise what the levels ask for.
 */
export function foresee(memory: Json | null, terms: ForesightTerms): Foresight {
  const { nowMs, slots, coldStartSeconds, latePriceSeconds, serviceSeconds, demand, needed, asked } = terms;
  const coldStartMs = Math.round(1000 * coldStartSeconds);
  const serviceMs = Math.max(1, 1000 * serviceSeconds);
  const settings = { bucketMs, slots, coldStartMs, latePriceSeconds, serviceMs, followed, leastSaving };
  const forecast = openForecast(memory, settings);
  // Short excess that the levels bear is no reason for a replica.
  forecast.observe(nowMs, Math.min(demand, needed * slots), asked);
  const expected = forecast.expectedPeak(nowMs, coldStartMs + bucketMs);
  return {
    floor: expected ? Math.ceil(expected.slots / slots - 1e-9) : 0,
    forecaster: expected?.forecaster ?? null,
    confidence: expected?.confidence ?? 0,
    lookAgainAtMs: expected ? nowMs + bucketMs : null,
    memory: forecast.toMemory(),
  };
}
