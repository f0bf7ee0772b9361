import { byId, h, setText } from './dom.ts';
import { sendThrough, type WorkloadView } from './model.ts';

const mostPictures = 24;
/** The example's model takes pictures up to this side; larger ones are made smaller here first. */
const longestSidePixels = 128;

/** A box to drop a picture and see the larger one, or a button that sends plain requests to any other workload. */
export class TryBox {
  readonly element: HTMLElement;
  readonly #results = h('div', { class: 'results' });
  readonly #says = h('p', { class: 'note', 'aria-live': 'polite' });
  readonly #view: () => WorkloadView;
  #picture: Blob | null = null;
  readonly #preview = h('img', { alt: 'the picture to enlarge', class: 'preview' });

  constructor(view: () => WorkloadView) {
    this.#view = view;
    this.element = this.#isPicture() ? this.#pictureBox() : this.#plainBox();
  }

  #isPicture(): boolean {
    return this.#view().annotations['ebb.dev/try'] === 'image';
  }

  #path(): string {
    const url = this.#view().status.url;
    return url ? new URL(url).pathname : `/${this.#view().status.name}`;
  }

  #pictureBox(): HTMLElement {
    const input = h('input', { type: 'file', accept: 'image/*', class: 'file', 'aria-label': 'choose a picture' });
    input.addEventListener('change', () => void this.#take(input.files?.[0] ?? null));
    const zone = h(
      'label',
      { class: 'drop' },
      this.#preview,
      h(
        'span',
        {},
        h('strong', {}, 'Drop a picture here'),
        h('br'),
        'or choose one; it comes back four times as large',
      ),
      input,
    );
    zone.addEventListener('dragover', (event) => {
      event.preventDefault();
      zone.classList.add('over');
    });
    zone.addEventListener('dragleave', () => zone.classList.remove('over'));
    zone.addEventListener('drop', (event) => {
      event.preventDefault();
      zone.classList.remove('over');
      void this.#take(event.dataTransfer?.files[0] ?? null);
    });
    void this.#useSample();
    return h('section', { class: 'try' }, h('h3', {}, 'Try it'), zone, this.#buttons(), this.#says, this.#results);
  }

  #plainBox(): HTMLElement {
    return h('section', { class: 'try' }, h('h3', {}, 'Try it'), this.#buttons(), this.#says);
  }

  #buttons(): HTMLElement {
    const button = (count: number, text: string) =>
      h('button', { type: 'button', click: () => void this.#sendMany(count) }, text);
    return h('div', { class: 'buttons' }, button(1, 'Send one'), button(12, 'Send 12 at once'), button(40, 'Send 40'));
  }

  async #useSample(): Promise<void> {
    const sample = byId('sample') as HTMLImageElement;
    this.#preview.src = sample.src;
    await sample.decode();
    this.#picture = await shrink(sample);
  }

  async #take(file: File | null): Promise<void> {
    if (!file) return;
    const image = new Image();
    image.src = URL.createObjectURL(file);
    try {
      await image.decode();
    } catch {
      setText(this.#says, `"${file.name}" is not a picture this browser can read.`);
      return;
    }
    this.#preview.src = image.src;
    this.#picture = await shrink(image);
    await this.#sendMany(1);
  }

  async #sendMany(count: number): Promise<void> {
    let answered = 0;
    let failed = 0;
    const startedAt = performance.now();
    setText(
      this.#says,
      count === 1 ? 'sent; waiting for the answer …' : `sending ${count} (a browser keeps at most six open at once) …`,
    );
    const report = () => {
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(2);
      setText(this.#says, `${answered} of ${count} answered in ${seconds} s${failed > 0 ? `, ${failed} failed` : ''}.`);
    };
    await Promise.all(
      Array.from({ length: count }, async () => {
        try {
          await this.#sendOne();
          answered += 1;
        } catch (error) {
          failed += 1;
          if (count === 1) {
            setText(this.#says, `Not answered: ${error instanceof Error ? error.message : String(error)}`);
            return;
          }
        }
        report();
      }),
    );
  }

  async #sendOne(): Promise<void> {
    const view = this.#view();
    if (!this.#isPicture()) {
      await (await sendThrough(view, this.#path(), {})).text();
      return;
    }
    if (!this.#picture) throw new Error('no picture chosen');
    const before = performance.now();
    const response = await sendThrough(view, this.#path(), {
      method: 'POST',
      headers: { 'content-type': this.#picture.type },
      body: this.#picture,
    });
    const large = await response.blob();
    const took = Math.round(performance.now() - before);
    const waited = response.headers.get('x-ebb-waited-ms');
    this.#showResult(URL.createObjectURL(large), took, waited, response.headers.get('x-ebb-replica'));
  }

  #showResult(src: string, tookMs: number, waitedMs: string | null, replica: string | null): void {
    const image = h('img', { src, alt: 'the same picture, four times as large' });
    const size = h('span', {}, '');
    image.addEventListener('load', () => setText(size, `${image.naturalWidth} × ${image.naturalHeight}`));
    const waited = waitedMs && Number(waitedMs) >= 1 ? `, held ${Math.round(Number(waitedMs))} ms` : '';
    const figure = h(
      'figure',
      {},
      image,
      h('figcaption', {}, size, h('span', {}, `${tookMs} ms${waited}`), h('span', { class: 'by' }, replica ?? '')),
    );
    this.#results.prepend(figure);
    while (this.#results.children.length > mostPictures) {
      const last = this.#results.lastElementChild;
      const old = last?.querySelector('img')?.src;
      if (old) URL.revokeObjectURL(old);
      last?.remove();
    }
  }
}

/** The picture as PNG with no side longer than the model takes. */
async function shrink(image: HTMLImageElement): Promise<Blob> {
  const ratio = Math.min(1, longestSidePixels / Math.max(image.naturalWidth, image.naturalHeight));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(image.naturalWidth * ratio));
  canvas.height = Math.max(1, Math.round(image.naturalHeight * ratio));
  const context = canvas.getContext('2d');
  if (!context) throw new Error('this browser has no canvas');
  context.imageSmoothingQuality = 'high';
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error('the picture could not be encoded'))),
      'image/png',
    );
  });
}
