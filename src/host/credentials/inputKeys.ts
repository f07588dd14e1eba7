/** Keys in the code bucket that a task reads its inputs from. `task` is JSON text that has been checked. */
export function inputKeys(task: string | undefined): string[] {
  if (task === undefined) return [];
  const { inputs = [] } = JSON.parse(task) as { inputs?: readonly { readonly key?: unknown }[] };
  return inputs.flatMap(({ key }) => (typeof key === 'string' ? [key] : []));
}
