// @ts-check
import { drawChart } from './chart.js';
import { seconds } from './dom.js';
import { jobTiles } from './jobs.js';
import { pictureCards, waitingStrip } from './pictures.js';
import { send, sendSamples } from './submit.js';

/** @typedef {import('../server/board.ts').BoardState} BoardState */
/** @typedef {import('../server/gallery.ts').Picture} Picture */

/** @param {string} id */
const at = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const cards = pictureCards(at('pictures'));
const waiting = waitingStrip(at('waiting'));
const tiles = jobTiles(at('jobs'));

const figures = new Map(
  [...document.querySelectorAll('[data-figure]')].map((node) => [node.getAttribute('data-figure'), node]),
);
/** @param {string} name @param {string | number} value */
function setFigure(name, value) {
  const number = figures.get(name)?.querySelector('b');
  if (number && number.textContent !== String(value)) number.textContent = String(value);
}

/** What the chart shows: each change of the last minute. @type {import('./chart.js').Sample[]} */
const samples = [];
let max = 0;

/** @param {BoardState} state */
function show(state) {
  const { queue, jobs, pictures } = state;
  const count = (/** @type {string} */ name) => pictures.filter((picture) => picture.state === name).length;
  const running = jobs.running ?? 0;
  max = jobs.max;
  samples.push({ atMs: Date.now(), jobs: running, messages: count('queued') + count('processing') });
  setFigure('queue', queue.length ?? count('queued'));
  setFigure('jobs', jobs.running ?? '–');
  const of = figures.get('jobs')?.querySelector('.of');
  if (of) of.textContent = jobs.running === null ? '' : `of at most ${jobs.max}`;
  setFigure('done', count('done'));
  setFigure('failed', count('failed'));
  figures.get('failed')?.classList.toggle('some', count('failed') > 0);
  const burst = firstTimes(pictures);
  setFigure('start', burst.processMs === null ? '–' : seconds(burst.processMs));
  setFigure('result', burst.resultMs === null ? '–' : seconds(burst.resultMs));
  at('why').textContent =
    jobs.summary === ''
      ? 'Nothing was decided yet.'
      : `${jobs.summary.charAt(0).toUpperCase()}${jobs.summary.slice(1)}.`;
  tiles.show(state);
  waiting.show(pictures);
  cards.show(pictures);
  at('none').hidden = pictures.length > 0;
  at('prompt').hidden = !state.takesPrompt;
  at('place').textContent = `Pictures and results are kept in ${state.storage}.`;
  setProblem('state', queue.problem || jobs.problem);
  drawChart(at('chart'), samples, max);
}

/**
 * How long the latest message that found nothing running waited for the first process and for the first result.
 * @param {Picture[]} pictures newest first
 */
function firstTimes(pictures) {
  const inOrder = [...pictures].sort((left, right) => left.task.submittedAt - right.task.submittedAt);
  let beganAt = 0;
  let busyUntil = 0;
  for (const { task, doneAt } of inOrder) {
    if (task.submittedAt > busyUntil) beganAt = task.submittedAt;
    busyUntil = Math.max(busyUntil, doneAt ?? Infinity);
  }
  const since = (/** @type {(number | null)[]} */ times) => {
    const known = times.filter((time) => time !== null && time >= beganAt);
    return known.length > 0 ? Math.min(...known.map(Number)) - beganAt : null;
  };
  return {
    processMs: since(inOrder.map(({ processStartedAt }) => processStartedAt)),
    resultMs: since(inOrder.map(({ state: name, doneAt }) => (name === 'done' ? doneAt : null))),
  };
}

/** @type {Map<string, string>} */
const problems = new Map();
/** @param {'state' | 'submit'} source @param {string} text */
function setProblem(source, text) {
  problems.set(source, text);
  const shown = [...problems.values()].filter((one) => one !== '').join(' · ');
  if (at('problem').textContent !== shown) at('problem').textContent = shown;
  at('problem').hidden = shown === '';
}

function follow() {
  const events = new EventSource('events');
  events.addEventListener('open', () => connection('live', 'live'));
  events.addEventListener('error', () => connection('lost', 'connection lost, trying again'));
  events.addEventListener('message', ({ data }) => show(JSON.parse(data)));
}

/** @param {string} state @param {string} words */
function connection(state, words) {
  document.body.dataset.connection = state;
  at('connection').textContent = words;
}

/** @param {() => Promise<string>} action gives a problem, or nothing */
async function submitting(action) {
  setProblem('submit', '');
  setProblem('submit', await action());
}

/** @param {FileList | undefined} files */
const sendFiles = (files) =>
  submitting(() => send([...(files ?? [])].map((file) => ({ name: file.name, bytes: file }))));
const input = /** @type {HTMLInputElement} */ (at('file'));
input.addEventListener('change', () => {
  void sendFiles(input.files ?? undefined).then(() => {
    input.value = '';
  });
});
const drop = /** @type {HTMLElement} */ (document.querySelector('.drop'));
for (const type of ['dragover', 'dragleave', 'drop']) {
  document.addEventListener(type, (event) => {
    event.preventDefault();
    drop.classList.toggle('over', type === 'dragover');
    if (type === 'drop' && event instanceof DragEvent) void sendFiles(event.dataTransfer?.files);
  });
}
at('samples').addEventListener('click', () => void submitting(() => sendSamples(5)));
at('many').addEventListener('click', () => void submitting(() => sendSamples(12)));
at('prompt').addEventListener('submit', (event) => {
  event.preventDefault();
  const words = /** @type {HTMLInputElement} */ (at('words'));
  if (words.value.trim() !== '') void submitting(() => send([{ name: words.value, prompt: words.value, bytes: null }]));
  words.value = '';
});

follow();
setInterval(() => drawChart(at('chart'), samples, max), 250);
