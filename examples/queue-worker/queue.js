// A queue in one file of STATE_DIR: a journal, one JSON line for each thing that happened. Reading it from the beginning gives
// the queue as it is. A line that a crash cut short is the last one, and did not happen.
const { fsyncSync, mkdirSync, openSync, readFileSync, truncateSync, writeSync } = require('node:fs');
const { join } = require('node:path');

class Queue {
  /** Ids in the order in which they come up. */
  waiting = [];
  /** Results by id. */
  done = new Map();
  /** Last errors by id, of jobs that are not tried again. */
  failed = new Map();
  #jobs = new Map();
  #attempts;
  #journal;

  /** For the bot: goes on with the journal that is there. */
  static open(attempts) {
    const queue = new Queue(attempts);
    mkdirSync(process.env.STATE_DIR, { recursive: true });
    const whole = queue.#read();
    queue.#journal = openSync(Queue.#file(), 'a');
    truncateSync(Queue.#file(), whole);
    return queue;
  }

  /** For the query program, which cannot write. */
  static read() {
    const queue = new Queue();
    queue.#read();
    return queue;
  }

  constructor(attempts) {
    this.#attempts = attempts;
  }

  get size() {
    return this.#jobs.size;
  }

  job(id) {
    const job = this.#jobs.get(id);
    return job && { ...job, result: this.done.get(id), error: this.failed.get(id) };
  }

  add({ text }) {
    this.#happen({ event: 'added', id: this.size + 1, text });
  }

  /** The job that comes first; it stays in the queue until it is finished. */
  next() {
    return this.#jobs.get(this.waiting[0]);
  }

  finish(id, result) {
    this.#happen({ event: 'done', id, result });
  }

  fail(id, error) {
    const last = this.#jobs.get(id).attempts + 1 >= this.#attempts;
    this.#happen({ event: last ? 'given up' : 'failed', id, error });
  }

  static #file() {
    return join(process.env.STATE_DIR, 'queue.jsonl');
  }

  /** Takes over what the journal says; the bytes of its whole lines. */
  #read() {
    let text = Buffer.alloc(0);
    try {
      text = readFileSync(Queue.#file());
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
    const whole = text.lastIndexOf('\n') + 1;
    for (const line of text.toString('utf8', 0, whole).split('\n')) if (line) this.#apply(JSON.parse(line));
    return whole;
  }

  /** On the disk first: what is not there has not happened. */
  #happen(entry) {
    writeSync(this.#journal, `${JSON.stringify(entry)}\n`);
    fsyncSync(this.#journal);
    this.#apply(entry);
  }

  #apply({ event, id, text, result, error }) {
    if (event === 'added') {
      this.#jobs.set(id, { id, text, attempts: 0 });
      this.waiting.push(id);
      return;
    }
    this.waiting = this.waiting.filter((other) => other !== id);
    this.#jobs.get(id).attempts += 1;
    if (event === 'done') this.done.set(id, result);
    else if (event === 'given up') this.failed.set(id, error);
    else this.waiting.push(id);
  }
}

exports.Queue = Queue;
