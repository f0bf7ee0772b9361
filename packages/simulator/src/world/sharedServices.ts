import type { Kernel } from '../kernel/kernel.ts';
import { SharedService } from './sharedService.ts';

interface OnReplica {
  service: SharedService;
  /** The next look is due then; infinity: none is. */
  lookUs: number;
  /** Rises when a look that was planned is void. */
  life: number;
}

/** Services that slow each other down, by replica, on the kernel's time. */
export class SharedServices {
  readonly #kernel: Kernel;
  readonly #rates: Float64Array;
  readonly #onServed: (row: number) => void;
  readonly #replicas = new Map<number, OnReplica>();
  readonly #lookKind: number;

  constructor(kernel: Kernel, rates: Float64Array, onServed: (row: number) => void) {
    this.#kernel = kernel;
    this.#rates = rates;
    this.#onServed = onServed;
    this.#lookKind = kernel.kind((replica, life) => this.#look(replica, life));
  }

  /** `lengthUs`: of the service alone on its replica. */
  begin(replica: number, row: number, lengthUs: number): void {
    let here = this.#replicas.get(replica);
    if (!here) {
      here = { service: new SharedService(this.#rates), lookUs: Number.POSITIVE_INFINITY, life: 0 };
      this.#replicas.set(replica, here);
    }
    here.service.begin(this.#kernel.nowUs, row, lengthUs);
    this.#plan(replica, here);
  }

  /** What is in service there does not go on. */
  forget(replica: number): void {
    this.#replicas.delete(replica);
  }

  /** One request at a look: what it sets off comes before the next one. */
  #look(replica: number, life: number): void {
    const here = this.#replicas.get(replica);
    if (!here || here.life !== life) return;
    here.lookUs = Number.POSITIVE_INFINITY;
    const row = here.service.take(this.#kernel.nowUs);
    if (row !== null) this.#onServed(row);
    if (this.#replicas.get(replica) === here) this.#plan(replica, here);
  }

  /** A look that turns out to be early costs less than one that is planned again with each begin. */
  #plan(replica: number, here: OnReplica): void {
    const dueUs = here.service.nextUs();
    if (dueUs >= here.lookUs) return;
    here.life++;
    here.lookUs = dueUs;
    this.#kernel.put(dueUs, this.#lookKind, replica, here.life);
  }
}
