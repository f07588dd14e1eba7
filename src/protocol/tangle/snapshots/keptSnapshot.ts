/** A disk as somebody wanted to have it again: a state of its own in the store, under its id. Kept until it is deleted, also when its sandbox is. */
export interface KeptSnapshot {
  /** `snp-…` */
  readonly id: string;
  readonly owner: string;
  readonly sandbox: string;
  /** Which publish of the sandbox it was; 0: nothing had been saved, its disk was empty. */
  readonly sequence: number;
  /** Milliseconds. */
  readonly createdAt: number;
  readonly tags: readonly string[];
  readonly files: number;
  readonly bytes: number;
  /** `making`: nobody has been told of it yet. */
  readonly state: 'making' | 'kept';
}
