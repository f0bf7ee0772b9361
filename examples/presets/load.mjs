/**
 * Writes a week of requests for one of the presets as CSV on stdout: a minute and its number of requests. The same seed gives
 * the same week.
 *
 *   node examples/presets/load.mjs sporadic|development|variable [SEED]
 */
const loads = {
  /** Three requests an hour on average, at any time: days without pattern. */
  sporadic: () => 3 / 60,
  /** Working days from 9 to 17, in bursts of ten minutes: a try every two hours on average, half a request a second within one. */
  development: (minute, state) => {
    const hour = Math.floor(minute / 60) % 24;
    const day = Math.floor(minute / 1440);
    if (day > 4 || hour < 9 || hour >= 17) return 0;
    if (minute >= state.until && state.random() < 1 / 120) state.until = minute + 10;
    return minute < state.until ? 30 : 0;
  },
  /** A day's wave from 0.2 to 4 requests a second with its peak at 15 o'clock, a third of that at the weekend. */
  variable: (minute) => {
    const wave = (1 + Math.cos((2 * Math.PI * (minute / 60 - 15)) / 24)) / 2;
    const weekend = Math.floor(minute / 1440) > 4 ? 1 / 3 : 1;
    return 60 * weekend * (0.2 + 3.8 * wave ** 2);
  },
};

const [name = '', seedText = '1'] = process.argv.slice(2);
const rateOf = Object.hasOwn(loads, name) ? loads[name] : undefined;
const seed = Number(seedText);
if (!rateOf || !Number.isSafeInteger(seed)) {
  process.stderr.write(`usage: node examples/presets/load.mjs ${Object.keys(loads).join('|')} [SEED]\n`);
  process.exit(2);
}

/** Mulberry32: small, and the same everywhere. */
function randomFrom(start) {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const random = randomFrom(seed);
const state = { until: 0, random };

/** A number of independent arrivals with this mean, by counting exponential gaps. */
function poisson(mean) {
  let count = 0;
  for (let sum = -Math.log(1 - random()); sum < mean; sum -= Math.log(1 - random())) count += 1;
  return count;
}

const lines = ['t_s,requests'];
for (let minute = 0; minute < 7 * 1440; minute += 1) lines.push(`${minute * 60},${poisson(rateOf(minute, state))}`);
process.stdout.write(`${lines.join('\n')}\n`);
