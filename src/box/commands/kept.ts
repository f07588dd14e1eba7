import { StringDecoder } from 'node:string_decoder';

/** The output of a command, in memory, with a limit: what is in the middle of too much goes, and is counted. */
export class Kept {
  readonly #each: number;
  readonly #head: Buffer[] = [];
  #headBytes = 0;
  #tail: Buffer[] = [];
  #tailBytes = 0;
  #lost = 0;

  /** How many bytes of its beginning, and of its end. */
  constructor(each: number) {
    this.#each = each;
  }

  add(bytes: Buffer): void {
    const first = bytes.subarray(0, this.#each - this.#headBytes);
    if (first.length > 0) this.#head.push(first);
    this.#headBytes += first.length;
    const rest = bytes.subarray(first.length);
    if (rest.length === 0) return;
    this.#tail.push(rest);
    this.#tailBytes += rest.length;
    // In steps, so that each byte is moved a few times at most.
    if (this.#tailBytes > 2 * this.#each) this.#cut();
  }

  /** How many bytes are left out; to be asked after `text`. */
  get lost(): number {
    return this.#lost;
  }

  text(): string {
    this.#cut();
    const head = Buffer.concat(this.#head);
    const tail = Buffer.concat(this.#tail);
    if (this.#lost === 0) return Buffer.concat([head, tail]).toString();
    return `${new StringDecoder().write(head)}\n[… ${this.#lost} bytes are left out …]\n${tail.toString()}`;
  }

  #cut(): void {
    if (this.#tailBytes <= this.#each) return;
    const lost = this.#tailBytes - this.#each;
    this.#tail = [Buffer.concat(this.#tail).subarray(lost)];
    this.#tailBytes = this.#each;
    this.#lost += lost;
  }
}
