/**
 * How many requests a second there are, over the parts of the day (UTC): for each part the time spent at rates of each power of
 * two, with the mean rate of each, the time without any request, and how often that came to an end.
 */
export type DayOfRates = DayPart[];

/** `[day, gaps that ended, quiet seconds, bin, seconds, requests, bin, …]`, lowest bin first. */
export type DayPart = number[];

/** The day as one: shares of the time at each rate. */
export interface RateShares {
  busy: { share: number; ratePerSecond: number }[];
  quietShare: number;
  /** Times that quiet ended, for each second of the whole. */
  gapsPerSecond: number;
  /** Of all the time, the quiet included. */
  meanPerSecond: number;
}

const partCount = 6;
const partMs = 14_400_000;
const dayMs = partCount * partMs;
const head = 3;
const binWidth = 3;
/** Bins of a part; the two lowest become one where there are more, because the high rates decide what is needed. */
const mostBins = 5;
const lowestBin = -31;
const highestBin = 31;
/** What a part of the day still counts when it comes again a day later. */
const keptByDay = 0.3;

export function noRates(): DayOfRates {
  return Array.from({ length: partCount }, () => []);
}

/** The day with so many more seconds at this rate, which ended at `atMs`; `wasQuiet`: nothing came just before them. */
export function withRate(
  rates: DayOfRates,
  atMs: number,
  seconds: number,
  requests: number,
  wasQuiet: boolean,
): DayOfRates {
  const day = Math.floor(atMs / dayMs);
  const index = Math.floor((atMs - day * dayMs) / partMs);
  return rates.map((part, at) => (at === index ? withSpan(ofDay(part, day), seconds, requests, wasQuiet) : part));
}

function ofDay(part: DayPart, day: number): DayPart {
  const [known = day, gaps = 0, quiet = 0, ...bins] = part;
  if (known === day) return [day, gaps, quiet, ...bins];
  const later: DayPart = [day, rounded(gaps * keptByDay), rounded(quiet * keptByDay)];
  for (const { bin, seconds, requests } of binsOf(part)) {
    const left = seconds * keptByDay;
    if (left >= 1) later.push(bin, rounded(left), rounded(requests * keptByDay));
  }
  return later;
}

function withSpan(part: DayPart, seconds: number, requests: number, wasQuiet: boolean): DayPart {
  const [day = 0, gaps = 0, quiet = 0] = part;
  if (requests === 0) return [day, gaps, rounded(quiet + seconds), ...part.slice(head)];
  const own = Math.max(lowestBin, Math.min(highestBin, Math.floor(Math.log2(requests / seconds))));
  const bins = binsOf(part);
  const found = bins.find(({ bin }) => bin === own);
  if (found) {
    found.seconds += seconds;
    found.requests += requests;
  } else {
    bins.push({ bin: own, seconds, requests });
    bins.sort((a, b) => a.bin - b.bin);
  }
  const [lowest, second] = bins;
  if (bins.length > mostBins && lowest && second) {
    second.seconds += lowest.seconds;
    second.requests += lowest.requests;
    bins.shift();
  }
  const flat = bins.flatMap((one) => [one.bin, rounded(one.seconds), rounded(one.requests)]);
  return [day, rounded(gaps + (wasQuiet ? 1 : 0)), quiet, ...flat];
}

/** Parts of the day count alike once they have been seen whole, and by what was seen of them before. */
export function sharesOf(rates: DayOfRates): RateShares | null {
  const shares: RateShares = { busy: [], quietShare: 0, gapsPerSecond: 0, meanPerSecond: 0 };
  const parts = rates.map((part) => {
    const bins = binsOf(part);
    const seconds = bins.reduce((sum, one) => sum + one.seconds, part[2] ?? 0);
    return { part, bins, seconds, weight: Math.min(seconds, partMs / 1000) };
  });
  const whole = parts.reduce((sum, { weight }) => sum + weight, 0);
  if (whole === 0) return null;
  const together = new Map<number, { share: number; requests: number }>();
  for (const { part, bins, seconds, weight } of parts) {
    if (seconds === 0) continue;
    const each = weight / whole / seconds;
    shares.gapsPerSecond += (part[1] ?? 0) * each;
    shares.quietShare += (part[2] ?? 0) * each;
    for (const { bin, seconds: spent, requests } of bins) {
      const known = together.get(bin) ?? { share: 0, requests: 0 };
      together.set(bin, { share: known.share + spent * each, requests: known.requests + requests * each });
    }
  }
  for (const { share, requests } of together.values()) {
    shares.busy.push({ share, ratePerSecond: requests / share });
    shares.meanPerSecond += requests;
  }
  return shares;
}

const minuteSeconds = 60;

/**
 * The same day with so many times the requests, each as likely to be there as any other: of fewer ones some minutes have
 * none, and are quiet.
 */
export function scaledRates(load: RateShares, scale: number): RateShares {
  if (scale === 1) return load;
  const scaled: RateShares = { ...load, busy: [], meanPerSecond: load.meanPerSecond * scale };
  const busyShare = load.busy.reduce((sum, { share }) => sum + share, 0);
  let left = 0;
  for (const { share, ratePerSecond } of load.busy) {
    const still = Math.min(1, anyIn(ratePerSecond * scale) / anyIn(ratePerSecond));
    if (still === 0) continue;
    left += share * still;
    scaled.busy.push({ share: share * still, ratePerSecond: (ratePerSecond * scale) / still });
    scaled.gapsPerSecond += (share * still * (1 - still)) / minuteSeconds;
  }
  scaled.quietShare += busyShare - left;
  scaled.gapsPerSecond -= load.gapsPerSecond * (busyShare > 0 ? 1 - left / busyShare : 0);
  return scaled;
}

/** Chance that at least one request comes in a minute. */
function anyIn(ratePerSecond: number): number {
  return -Math.expm1(-minuteSeconds * ratePerSecond);
}

function binsOf(part: DayPart): { bin: number; seconds: number; requests: number }[] {
  const bins: { bin: number; seconds: number; requests: number }[] = [];
  for (let at = head; at + binWidth <= part.length; at += binWidth) {
    const [bin = 0, seconds = 0, requests = 0] = part.slice(at, at + binWidth);
    bins.push({ bin, seconds, requests });
  }
  return bins;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
