/** By whom a bot is held; generation 0: by nobody. */
export interface Holding {
  readonly generation: number;
  readonly holder: string;
}
