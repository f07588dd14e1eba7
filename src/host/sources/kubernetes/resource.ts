/**
 * The room of the custom resource `Bot`: `resource` names it, `readBot` makes a bot of one, `openKubernetesSource` lists and watches
 * them, `writer` changes them. Its schema is generated (`scripts/deploy`) from the one schema of a bot, `host/bots/schema`.
 */

/** The custom resource `Bot`, as deploy/ defines it. */
export const botResource = {
  group: 'runtime.bots',
  version: 'v1alpha1',
  apiVersion: 'runtime.bots/v1alpha1',
  kind: 'Bot',
  plural: 'bots',
  /** Holds a bot that is deleted until its state is saved. */
  finalizer: 'runtime.bots/save-state',
  /** `"true"`: lets a bot that is deleted go although its state could not be saved. */
  deleteWithoutSaving: 'runtime.bots/delete-without-saving',
} as const;
