import { keepToken, readToken } from './api.ts';
import { byId, h, setText } from './dom.ts';
import { formatSeconds } from './format.ts';
import { emptyModel, follow, serverNow } from './model.ts';
import { WorkloadCard } from './workloadCard.ts';

const model = emptyModel();
const cards = new Map<string, WorkloadCard>();
let due = false;

/** Draws at most once a frame, however many events arrive. */
function changed(): void {
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    render();
  });
}

function render(): void {
  const now = serverNow(model);
  const list = byId('workloads');
  for (const [id, card] of cards) {
    if (model.workloads.has(id)) continue;
    card.element.remove();
    cards.delete(id);
  }
  for (const [id, view] of model.workloads) {
    let card = cards.get(id);
    if (!card) {
      card = new WorkloadCard(view);
      cards.set(id, card);
      list.append(card.element);
    }
    // What a newcomer can drop a picture on comes first.
    card.element.style.setProperty('order', view.annotations['ebb.dev/try'] === 'image' ? '0' : '1');
    card.show(view, now);
    card.draw(now);
  }
  byId('none').hidden = model.workloads.size > 0 || model.connection !== 'live';
  showConnection(now);
}

function showConnection(now: number): void {
  const words = {
    connecting: 'connecting …',
    live: 'live',
    lost: 'connection lost; trying again …',
    refused: 'the token was refused',
  };
  document.body.dataset.connection = model.connection;
  setText(byId('connection'), words[model.connection]);
  const system = model.system;
  if (system)
    setText(
      byId('about'),
      `Ebb ${system.version} · up ${formatSeconds((now - system.startedAt) / 1000)} · gateway ${system.gateway.url}`,
    );
}

function askForToken(): void {
  const input = h('input', { type: 'password', placeholder: 'ebb_…', 'aria-label': 'token', autocomplete: 'off' });
  const form = h(
    'form',
    { class: 'token' },
    h('h2', {}, 'This page needs the owner’s token'),
    h('p', {}, 'It is in the file “token” of Ebb’s data folder (.ebb). “ebb up” prints an address that carries it.'),
    input,
    h('button', {}, 'Open'),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    keepToken(input.value);
    form.remove();
    start();
  });
  byId('workloads').before(form);
  input.focus();
}

function start(): void {
  void follow(model, () => {
    changed();
    if (model.connection === 'refused') askForToken();
  });
}

if (readToken()) start();
else askForToken();

// Curves and ages move on between events.
setInterval(changed, 500);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
window.addEventListener('resize', changed);
