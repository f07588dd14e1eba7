/** What an operator says once for all pods. */
export interface PodOptions {
  /** `single`: all of the runtime in the bot's container. `sidecars`: the store's keys are out of it, in containers beside it. */
  readonly layout: 'single' | 'sidecars';
  /** What becomes of a bot whose node is not heard of: it waits for the node, or gets another instance after five minutes. */
  readonly lostNode: 'wait' | 'replace';
  /** Fields of a pod's specification besides ours, which beat them: node selectors, tolerations, pull secrets, host aliases. */
  readonly template: Readonly<Record<string, unknown>>;
  /** When nodes fetch the image of bots; undefined: by the cluster's own rule. */
  readonly pullPolicy?: 'Always' | 'IfNotPresent' | 'Never' | undefined;
}
