import type { Flight } from './flight.ts';

/**
 * Every flight under way, by an id that is used again after its end. Not a Map: V8 keeps each outgrown table of a
 * Map that changes with every request, and all that it held, alive until a full collection; young collections then
 * copy ten times the memory and take as much longer.
 */
export class FlightTable {
  readonly #flights: (Flight | null)[] = [];
  readonly #free: number[] = [];
  size = 0;

  /** Makes a flight with a free id and keeps it. */
  add(make: (id: number) => Flight): Flight {
    const id = this.#free.pop() ?? this.#flights.length;
    const flight = make(id);
    this.#flights[id] = flight;
    this.size += 1;
    return flight;
  }

  get(id: number): Flight | null {
    return this.#flights[id] ?? null;
  }

  delete(flight: Flight): void {
    if (this.#flights[flight.id] !== flight) return;
    this.#flights[flight.id] = null;
    this.#free.push(flight.id);
    this.size -= 1;
  }

  *[Symbol.iterator](): Iterator<Flight> {
    for (const flight of this.#flights) if (flight) yield flight;
  }
}
