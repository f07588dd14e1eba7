/** How much of something has arrived, and who waits for more of it. */
export class Arrival {
  #length = 0;
  #failure: { readonly error: unknown } | undefined;
  readonly #waiting = new Set<() => void>();

  /** Bytes from the start. */
  get length(): number {
    return this.#length;
  }

  /** Resolves when the bytes before `end` are there; undefined: they are. Rejects when they do not come. */
  until(end: number): Promise<void> | undefined {
    return end <= this.#length ? undefined : this.#wait(end);
  }

  async #wait(end: number): Promise<void> {
    while (end > this.#length) {
      if (this.#failure) throw this.#failure.error;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  reached(length: number): void {
    this.#length = length;
    this.#wake();
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake();
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
