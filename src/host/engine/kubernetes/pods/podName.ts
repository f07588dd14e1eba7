import { hash } from 'node:crypto';

/** A pod's name is also its host's name: one label of DNS. */
const LONGEST = 63;
const SHOWN = 40;
const DIGITS = 12;
const isLabel = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
/** What our own hashes look like: a name that is given may not. */
const looksHashed = /-[0-9a-f]{12}$/;

/** The pod of an instance: its own name where that fits, else what fits of it and a hash. Two names never meet in one. */
export function podName(name: string): string {
  if (name.length <= LONGEST && isLabel.test(name) && !looksHashed.test(name)) return name;
  const shown = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, SHOWN)
    .replace(/^-+|-+$/g, '');
  return `${shown}-${hash('sha256', name).slice(0, DIGITS)}`;
}

const isValue = /^(?=.{1,63}$)[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/;

/** Text as the value of a label, by which pods are found: itself, or a hash. */
export function labelValue(text: string): string {
  return isValue.test(text) && !looksHashed.test(text) ? text : `h-${hash('sha256', text).slice(0, DIGITS)}`;
}
