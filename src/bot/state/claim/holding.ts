/** The instance that has a bot; generation 0: none has. */
export interface Holding {
  readonly generation: number;
  readonly holder: string;
}
